import type { AgentCredentials } from "./sign-request.ts";

/** What the agent asks the instance metadata service (version 2 only). */
export interface MetadataClient {
  read(path: string): Promise<string>;
  /** Credentials of the instance's role, from memory until five minutes before they expire; none without a role. */
  credentials(): Promise<AgentCredentials | undefined>;
}

const tokenSeconds = 21_600;
const renewBeforeMs = 5 * 60_000;

export function openMetadataClient(endpoint: string, now: () => number): MetadataClient {
  let token: { readonly value: string; readonly untilMs: number } | undefined;
  let kept: AgentCredentials | undefined;

  async function currentToken(): Promise<string> {
    if (token === undefined || token.untilMs <= now()) {
      const answer = await fetch(new URL("/latest/api/token", endpoint), {
        method: "PUT",
        headers: { "x-aws-ec2-metadata-token-ttl-seconds": String(tokenSeconds) },
      });
      if (!answer.ok) throw new Error(`the metadata service refused a token: ${answer.status}`);
      token = { value: await answer.text(), untilMs: now() + (tokenSeconds - 60) * 1000 };
    }
    return token.value;
  }

  async function get(path: string): Promise<Response> {
    return fetch(new URL(path, endpoint), { headers: { "x-aws-ec2-metadata-token": await currentToken() } });
  }

  async function read(path: string): Promise<string> {
    const answer = await get(path);
    if (!answer.ok) throw new Error(`the metadata service has no ${path}: ${answer.status}`);
    return answer.text();
  }

  return {
    read,
    async credentials() {
      if (kept !== undefined && kept.expiresAtMs - renewBeforeMs > now()) return kept;
      const folder = "/latest/meta-data/iam/security-credentials/";
      const list = await get(folder);
      const role = list.ok ? (await list.text()).trim() : "";
      if (role === "") return undefined;
      kept = parseCredentials(await read(folder + role));
      return kept;
    },
  };
}

function parseCredentials(text: string): AgentCredentials | undefined {
  const fields = JSON.parse(text) as Record<string, string>;
  const { AccessKeyId, SecretAccessKey, Token, Expiration } = fields;
  if (!AccessKeyId || !SecretAccessKey || !Token || !Expiration) return undefined;
  return {
    accessKeyId: AccessKeyId,
    secretAccessKey: SecretAccessKey,
    sessionToken: Token,
    expiresAtMs: Date.parse(Expiration),
  };
}
