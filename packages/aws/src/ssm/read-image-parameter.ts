import { GetParameterCommand } from "@aws-sdk/client-ssm";
import { GarrisonError } from "@garrison/core/garrison-error";
import type { AwsClients } from "../aws-clients.ts";
import { namedCall, type AwsCall } from "../ec2/named-call.ts";

/** The image id that a public parameter of AWS holds at present. */
export async function readImageParameter(clients: AwsClients, name: string, call: AwsCall): Promise<string> {
  const answer = await namedCall(
    `reading the parameter ${name}`,
    clients.ssm().send(new GetParameterCommand({ Name: name }), { abortSignal: call.signal }),
  );
  const imageId = answer.Parameter?.Value;
  if (imageId !== undefined) return imageId;
  throw new GarrisonError("aws-not-found", `the parameter ${name} holds no image`);
}
