/**
 * A program for a machine of the lab: calls AWS under the instance's role when it is asked to, over a port of its own, so
 * that a test can ask even where the machine's network leads nowhere. It tells the port on its console.
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { ListBucketsCommand, S3Client } from "@aws-sdk/client-s3";
import { ListQueuesCommand, SQSClient } from "@aws-sdk/client-sqs";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";

interface Question {
  readonly region: string;
  /** The instance's own when absent. */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly maxAttempts: 1;
}

type Send = (question: Question, abortSignal: AbortSignal) => Promise<unknown>;

const calls: Readonly<Record<string, Send>> = {
  s3: (question, abortSignal) => new S3Client(question).send(new ListBucketsCommand({}), { abortSignal }),
  sqs: (question, abortSignal) => new SQSClient(question).send(new ListQueuesCommand({}), { abortSignal }),
  sts: (question, abortSignal) =>
    new STSClient(question).send(new GetCallerIdentityCommand({}), { abortSignal }),
};

interface Failure {
  readonly name: string;
  readonly message: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

/** `reached`, the denial of one that answered, or `no answer`. */
async function outcome(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return "reached";
  } catch (error) {
    const { message, $metadata } = error as Failure;
    return $metadata?.httpStatusCode === undefined ? "no answer" : message;
  }
}

const server = createServer((request, response) => {
  const query = new URL(request.url ?? "/", "http://machine").searchParams;
  const send = calls[query.get("service") ?? ""]!;
  const limit = AbortSignal.timeout(Number(query.get("timeoutMs")));
  const [accessKeyId, secretAccessKey] = query.get("key")?.split(":") ?? [];
  const question: Question = {
    region: query.get("region") ?? "",
    maxAttempts: 1,
    ...(accessKeyId === undefined || secretAccessKey === undefined
      ? {}
      : { credentials: { accessKeyId, secretAccessKey } }),
  };
  void outcome(send(question, limit)).then((text) => response.end(text));
});
server.listen(0, "127.0.0.1", () => {
  process.stdout.write(`caller listens on ${(server.address() as AddressInfo).port}\n`);
});
