import type { LabService } from "../../wire/operation-handler.ts";
import { lookupEvents } from "./lookup-events.ts";

/** AWS CloudTrail: the event history that every account has without a trail. */
export const cloudTrailService: LabService = {
  signingName: "cloudtrail",
  load: async () => {
    const module = await import("@aws-sdk/client-cloudtrail");
    return { module, client: new module.CloudTrailClient({ region: "us-east-1" }) };
  },
  deniedCode: "AccessDeniedException",
  operations: { LookupEvents: lookupEvents },
};
