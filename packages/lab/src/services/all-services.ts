import type { LabService } from "../wire/operation-handler.ts";
import { ebsService } from "./ebs/ebs-service.ts";
import { ec2Service } from "./ec2/ec2-service.ts";
import { stsService } from "./sts/sts-service.ts";

/** Every service the endpoint answers for. */
export const allServices: readonly LabService[] = [stsService, ec2Service, ebsService];
