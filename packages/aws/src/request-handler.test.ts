import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { requestHandler } from "./request-handler.ts";
import { translateAwsError } from "./translate-aws-error.ts";

const silent = createServer({ noDelay: true }, (socket) => socket.resume());
let endpoint: string;

beforeAll(async () => {
  await once(silent.listen(0, "127.0.0.1"), "listening");
  endpoint = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
});
afterAll(() => void silent.close());

test("a call that is never answered ends as one that may be repeated", async () => {
  const sts = new STSClient({
    endpoint,
    region: "eu-central-1",
    credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" },
    maxAttempts: 1,
    requestHandler: requestHandler(1, 100),
  });
  const failure = await sts.send(new GetCallerIdentityCommand({})).catch((error: unknown) => error);
  sts.destroy();
  expect(translateAwsError(failure, "asking who we are")).toMatchObject({
    code: "aws-unavailable",
    retryable: true,
  });
});
