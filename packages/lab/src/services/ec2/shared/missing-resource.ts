import { AwsError } from "../../../wire/aws-error.ts";
import type { Call, Operation } from "../../../wire/operation-handler.ts";
import { ec2Arn } from "./resource-access.ts";

/** By prefix of the id. */
const resourceTypes: Readonly<Record<string, string>> = {
  i: "instance",
  vol: "volume",
  snap: "snapshot",
  ami: "image",
  vpc: "vpc",
  subnet: "subnet",
  sg: "security-group",
  eni: "network-interface",
  rtb: "route-table",
  igw: "internet-gateway",
  nat: "natgateway",
  vpce: "vpc-endpoint",
};

/** A named resource isn't there, or isn't the caller's. */
export class MissingResource extends AwsError {
  readonly id: string;

  constructor(code: string, message: string, id: string) {
    super(code, message);
    this.id = id;
  }
}

/**
 * A caller who may not do this to such a resource isn't told whether it exists: the right is asked for before the answer
 * says that it's missing. What isn't there has no tags, so a right that depends on them doesn't hold.
 */
export function askBeforeMissing(name: string, operation: Operation): Operation {
  return async (input, call) => {
    try {
      return await operation(input, call);
    } catch (error) {
      if (error instanceof MissingResource)
        call.authorize({ action: `ec2:${name}`, ...missingAccess(call, error.id) });
      throw error;
    }
  };
}

function missingAccess(call: Call, id: string) {
  const type = resourceTypes[id.slice(0, id.indexOf("-"))] ?? "*";
  // Images and snapshots have no account in their ARN.
  const owner = type === "image" || type === "snapshot" ? {} : { accountId: call.accountId };
  return {
    resources: [{ arn: ec2Arn(call, { ...owner, path: `${type}/${id}` }), accountId: call.accountId }],
    context: { "ec2:Region": call.region },
  };
}
