import type { LabService } from "../wire/operation-handler.ts";
import { stsService } from "./sts/sts-service.ts";

/** Every service the endpoint answers for. */
export const allServices: readonly LabService[] = [stsService];
