/** Services with one endpoint for all Regions: their calls count as made in this one, whatever the client signed for. */
export const globalRegion = "us-east-1";
