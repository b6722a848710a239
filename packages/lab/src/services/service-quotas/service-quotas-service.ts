import { AwsError } from "../../wire/aws-error.ts";
import type { Call, LabService } from "../../wire/operation-handler.ts";

/** Service Quotas. Its answers follow the lab's own limits. */
export const serviceQuotasService: LabService = {
  signingName: "servicequotas",
  deniedCode: "AccessDeniedException",
  load: async () => {
    const module = await import("@aws-sdk/client-service-quotas");
    return { module, client: new module.ServiceQuotasClient({ region: "us-east-1" }) };
  },
  operations: { GetServiceQuota: getServiceQuota, ListServiceQuotas: listServiceQuotas },
};

interface QuotaInput {
  readonly ServiceCode?: string;
  readonly QuotaCode?: string;
}

interface Quota {
  readonly code: string;
  readonly name: string;
  readonly value: number;
}

function quotasOf(call: Call, serviceCode: string | undefined): readonly Quota[] {
  if (serviceCode === undefined) throw illegal("ServiceCode is required");
  const { vcpuLimit } = call.lab.ec2.settings;
  const standard = "Standard (A, C, D, H, I, M, R, T, Z)";
  const quotas: Readonly<Partial<Record<string, readonly Quota[]>>> = {
    ec2: [
      { code: "L-1216C47A", name: `Running On-Demand ${standard} instances`, value: vcpuLimit },
      { code: "L-34B43A08", name: `All ${standard} Spot Instance Requests`, value: vcpuLimit },
    ],
  };
  const found = quotas[serviceCode];
  if (found === undefined) throw noSuchResource();
  return found;
}

function getServiceQuota({ ServiceCode, QuotaCode }: QuotaInput, call: Call): object {
  const resource = `${ServiceCode ?? ""}/${QuotaCode ?? ""}`;
  const arn = `arn:${call.partition}:servicequotas:${call.region}:${call.accountId}:${resource}`;
  call.authorize({
    action: "servicequotas:GetServiceQuota",
    resources: [{ arn, accountId: call.accountId }],
  });
  const quota = quotasOf(call, ServiceCode).find(({ code }) => code === QuotaCode);
  if (quota === undefined) throw noSuchResource();
  return { Quota: formatQuota(call, ServiceCode!, quota) };
}

function listServiceQuotas({ ServiceCode }: QuotaInput, call: Call): object {
  call.authorize({
    action: "servicequotas:ListServiceQuotas",
    resources: [{ arn: "*", accountId: call.accountId }],
  });
  const quotas = quotasOf(call, ServiceCode);
  return { Quotas: quotas.map((quota) => formatQuota(call, ServiceCode!, quota)) };
}

const serviceNames: Readonly<Record<string, string>> = {
  ec2: "Amazon Elastic Compute Cloud (Amazon EC2)",
};

function formatQuota(call: Call, serviceCode: string, { code, name, value }: Quota): object {
  const { partition, region, accountId } = call;
  return {
    Adjustable: true,
    GlobalQuota: false,
    QuotaAppliedAtLevel: "ACCOUNT",
    QuotaArn: `arn:${partition}:servicequotas:${region}:${accountId}:${serviceCode}/${code}`,
    QuotaCode: code,
    QuotaName: name,
    ServiceCode: serviceCode,
    ServiceName: serviceNames[serviceCode],
    Unit: "None",
    Value: value,
  };
}

function noSuchResource(): AwsError {
  const message = "The request failed because the specified service does not exist.";
  return new AwsError("NoSuchResourceException", message, { status: 400 });
}

function illegal(message: string): AwsError {
  return new AwsError("IllegalArgumentException", message, { status: 400 });
}
