import { paginateListQueues } from "@aws-sdk/client-sqs";
import type { AwsClients } from "./aws-clients.ts";
import { translateAwsError } from "./translate-aws-error.ts";

/** URLs of the queues in this account and Region whose names begin with `prefix`. */
export async function findQueues(
  clients: AwsClients,
  prefix: string,
  call: { readonly signal: AbortSignal },
): Promise<readonly string[]> {
  const urls: string[] = [];
  try {
    const pages = paginateListQueues(
      { client: clients.sqs(), pageSize: 100 },
      { QueueNamePrefix: prefix },
      { abortSignal: call.signal },
    );
    for await (const page of pages) urls.push(...(page.QueueUrls ?? []));
  } catch (error) {
    throw translateAwsError(error, `listing the queues ${prefix}*`);
  }
  return urls;
}
