import { DeleteMessageBatchCommand, ReceiveMessageCommand, SendMessageCommand } from "@aws-sdk/client-sqs";
import type { MessageTransport } from "@garrison/channel/message-transport";
import type { AwsClients } from "./aws-clients.ts";
import { translateAwsError } from "./translate-aws-error.ts";

/** What SQS hands out and deletes at a time. */
const batchSize = 10;

/** One direction of the dialogue with a worker, over one standard queue. Bodies are text that SQS accepts as it is. */
export function openSqsTransport(clients: AwsClients, queueUrl: string): MessageTransport {
  const sqs = clients.sqs();
  const name = queueUrl.split("/").at(-1) ?? queueUrl;
  return {
    async send(body, call) {
      const command = new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: body });
      await sqs.send(command, { abortSignal: call.signal }).catch((error: unknown) => {
        throw translateAwsError(error, `sending to queue ${name}`);
      });
    },
    async receive(call) {
      const command = new ReceiveMessageCommand({
        QueueUrl: queueUrl,
        MaxNumberOfMessages: batchSize,
        WaitTimeSeconds: call.waitSeconds,
      });
      const { Messages: messages } = await sqs
        .send(command, { abortSignal: call.signal })
        .catch((error: unknown) => {
          throw translateAwsError(error, `receiving from queue ${name}`);
        });
      return (messages ?? []).map((message) => ({
        body: message.Body ?? "",
        receipt: message.ReceiptHandle ?? "",
      }));
    },
    async acknowledge(receipts, call) {
      for (let first = 0; first < receipts.length; first += batchSize) {
        const entries = receipts
          .slice(first, first + batchSize)
          .map((receipt, index) => ({ Id: String(index), ReceiptHandle: receipt }));
        const command = new DeleteMessageBatchCommand({ QueueUrl: queueUrl, Entries: entries });
        await sqs.send(command, { abortSignal: call.signal }).catch((error: unknown) => {
          throw translateAwsError(error, `acknowledging messages of queue ${name}`);
        });
      }
    },
  };
}
