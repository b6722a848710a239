import { CreateQueueCommand, DeleteQueueCommand, GetQueueUrlCommand } from "@aws-sdk/client-sqs";
import { isGarrisonError } from "@garrison/core/garrison-error";
import type { AwsClients } from "../aws-clients.ts";
import { namedCall, type AwsCall } from "../ec2/named-call.ts";
import type { Tags } from "../ec2/tags.ts";

/** A message that nobody took in an hour is of no use to anybody. */
const retentionSeconds = 3600;
/** A message that a crashed reader took comes back after this time. */
const visibilitySeconds = 30;

/** Makes a queue; the same name with the same settings answers the same queue. */
export async function createWorkerQueue(
  clients: AwsClients,
  request: { readonly name: string; readonly tags: Tags },
  call: AwsCall,
): Promise<{ readonly queueUrl: string }> {
  const command = new CreateQueueCommand({
    QueueName: request.name,
    Attributes: {
      MessageRetentionPeriod: String(retentionSeconds),
      VisibilityTimeout: String(visibilitySeconds),
      SqsManagedSseEnabled: "true",
    },
    tags: { ...request.tags },
  });
  const answer = await namedCall(
    `making the queue ${request.name}`,
    clients.sqs().send(command, { abortSignal: call.signal }),
  );
  return { queueUrl: answer.QueueUrl ?? "" };
}

/** The queue's address, or undefined when there is none of that name. */
export async function findWorkerQueue(
  clients: AwsClients,
  name: string,
  call: AwsCall,
): Promise<string | undefined> {
  try {
    const answer = await namedCall(
      `looking for the queue ${name}`,
      clients.sqs().send(new GetQueueUrlCommand({ QueueName: name }), { abortSignal: call.signal }),
    );
    return answer.QueueUrl;
  } catch (error) {
    if (isGarrisonError(error, "aws-not-found")) return undefined;
    throw error;
  }
}

/** Deleting one that is gone is no error. */
export async function deleteWorkerQueue(clients: AwsClients, queueUrl: string, call: AwsCall): Promise<void> {
  try {
    await namedCall(
      `deleting the queue ${queueUrl.split("/").at(-1) ?? queueUrl}`,
      clients.sqs().send(new DeleteQueueCommand({ QueueUrl: queueUrl }), { abortSignal: call.signal }),
    );
  } catch (error) {
    if (!isGarrisonError(error, "aws-not-found")) throw error;
  }
}
