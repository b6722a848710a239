import { DecryptCommand, EncryptCommand, KMSClient } from "@aws-sdk/client-kms";
import { GarrisonError } from "@garrison/core/garrison-error";
import type { KeyWrapper, KeyWrapperContext, WrappedSecret } from "@garrison/repository/keys/key-wrapper";
import { sharedSettings, type AwsClientOptions } from "./data-clients.ts";
import { requestHandler } from "./request-handler.ts";
import { awsErrorCode, translateAwsError } from "./translate-aws-error.ts";

interface Call {
  readonly signal: AbortSignal;
}

const sockets = 4;
const silenceMs = 30_000;
const attempts = 5;

/**
 * Keeps secrets of repositories under symmetric KMS keys. The repository's id is the encryption context, so that a key
 * policy can say `kms:EncryptionContext:garrison-repository`, CloudTrail shows which repository was opened, and a wrapped
 * secret is worth nothing beside another repository. Each key is asked in the Region that its ARN names.
 */
export function openKmsKeyWrapper(options: AwsClientOptions): KeyWrapper & Disposable {
  const clients = new Map<string, KMSClient>();
  const clientFor = (keyId: string): KMSClient => {
    const region = /^arn:[^:]+:kms:([^:]+):/.exec(keyId)?.[1] ?? options.region;
    const known = clients.get(region);
    if (known !== undefined) return known;
    const settings = { ...sharedSettings({ ...options, region }), maxAttempts: attempts };
    const client = new KMSClient({ ...settings, requestHandler: requestHandler(sockets, silenceMs) });
    clients.set(region, client);
    return client;
  };
  return {
    wrap: (secret, context, call) => wrap(clientFor(secret.keyId), { secret, context }, call),
    unwrap: (wrapped, context, call) => unwrap(clientFor(wrapped.keyId), { wrapped, context }, call),
    [Symbol.dispose]: () => {
      for (const client of clients.values()) client.destroy();
      clients.clear();
    },
  };
}

async function wrap(
  client: KMSClient,
  { secret, context }: { readonly secret: WrappedSecret; readonly context: KeyWrapperContext },
  call: Call,
): Promise<WrappedSecret> {
  const { keyId, bytes } = secret;
  const doing = `sealing a repository's secret with the KMS key ${keyId}`;
  const command = new EncryptCommand({
    KeyId: keyId,
    Plaintext: bytes,
    EncryptionContext: encryptionContext(context),
  });
  const answer = await named(doing, client.send(command, { abortSignal: call.signal }));
  if (answer.KeyId !== undefined && answer.CiphertextBlob !== undefined) {
    return { keyId: answer.KeyId, bytes: answer.CiphertextBlob };
  }
  throw new GarrisonError("aws-unavailable", `${doing}: the answer is empty`);
}

async function unwrap(
  client: KMSClient,
  { wrapped, context }: { readonly wrapped: WrappedSecret; readonly context: KeyWrapperContext },
  call: Call,
): Promise<Uint8Array> {
  const { keyId, bytes } = wrapped;
  const doing = `opening a repository's secret with the KMS key ${keyId}`;
  const command = new DecryptCommand({
    KeyId: keyId,
    CiphertextBlob: bytes,
    EncryptionContext: encryptionContext(context),
  });
  const answer = await named(doing, client.send(command, { abortSignal: call.signal }));
  if (answer.Plaintext !== undefined) return answer.Plaintext;
  throw new GarrisonError("aws-unavailable", `${doing}: the answer is empty`);
}

const foreign = new Set(["InvalidCiphertextException", "IncorrectKeyException"]);

async function named<Answer>(doing: string, asked: Promise<Answer>): Promise<Answer> {
  try {
    return await asked;
  } catch (cause) {
    if (!foreign.has(awsErrorCode(cause) ?? "")) throw translateAwsError(cause, doing);
    throw new GarrisonError("object-damaged", `${doing}: it is of another key or another repository`, {
      cause,
    });
  }
}

function encryptionContext({ repositoryId }: KeyWrapperContext): Record<string, string> {
  return { "garrison-repository": repositoryId };
}
