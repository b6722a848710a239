import type { Credentials } from "@aws-sdk/client-sts";
import type { StoredSession } from "../../identity/caller-principal.ts";

export function credentialsOf(session: StoredSession): Credentials {
  return {
    AccessKeyId: session.accessKeyId,
    SecretAccessKey: session.secretAccessKey,
    SessionToken: session.sessionToken,
    Expiration: new Date(session.expiresAtMs),
  };
}
