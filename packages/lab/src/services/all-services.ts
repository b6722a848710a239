import type { LabService } from "../wire/operation-handler.ts";

/** Every service the endpoint answers for. */
export const allServices: readonly LabService[] = [];
