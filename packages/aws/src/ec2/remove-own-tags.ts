import { DeleteTagsCommand } from "@aws-sdk/client-ec2";
import type { AwsClients } from "../aws-clients.ts";
import { namedCall, type AwsCall } from "./named-call.ts";

/**
 * Removes our tags from what is handed over. The tag that the right to do so hangs on comes off with the rest in one
 * call; resources that have none of them are no error.
 */
export async function removeOwnTags(
  clients: AwsClients,
  resourceIds: readonly string[],
  call: AwsCall & { readonly keys: readonly string[] },
): Promise<void> {
  // Without names EC2 takes off all tags, also those that are not ours.
  if (call.keys.length === 0) return;
  const command = new DeleteTagsCommand({
    Resources: [...resourceIds],
    Tags: call.keys.map((Key) => ({ Key })),
  });
  await namedCall(
    `removing our tags from ${resourceIds.join(", ")}`,
    clients.ec2().send(command, { abortSignal: call.signal }),
  );
}
