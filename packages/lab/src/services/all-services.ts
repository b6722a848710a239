import type { LabService } from "../wire/operation-handler.ts";
import { cloudTrailService } from "./cloudtrail/cloudtrail-service.ts";
import { ebsService } from "./ebs/ebs-service.ts";
import { ec2Service } from "./ec2/ec2-service.ts";
import { s3Service } from "./s3/s3-service.ts";
import { sqsService } from "./sqs/sqs-service.ts";
import { ec2MessagesService } from "./ssm/ec2messages-service.ts";
import { ssmMessagesService } from "./ssm/ssmmessages-service.ts";
import { ssmService } from "./ssm/ssm-service.ts";
import { iamService } from "./iam/iam-service.ts";
import { kmsService } from "./kms/kms-service.ts";
import { organizationsService } from "./organizations/organizations-service.ts";
import { serviceQuotasService } from "./service-quotas/service-quotas-service.ts";
import { stsService } from "./sts/sts-service.ts";

/** Every service the endpoint answers for. */
export const allServices: readonly LabService[] = [
  stsService,
  iamService,
  cloudTrailService,
  organizationsService,
  kmsService,
  ec2Service,
  ebsService,
  s3Service,
  sqsService,
  ssmService,
  ssmMessagesService,
  ec2MessagesService,
  serviceQuotasService,
];
