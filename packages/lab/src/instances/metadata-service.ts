import { randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { StoredSession } from "../identity/caller-principal.ts";
import { issueRoleCredentials } from "../identity/issue-role-credentials.ts";
import type { Lab } from "../lab.ts";
import { AwsError } from "../wire/aws-error.ts";
import type { MachineDescription } from "./machine-host.ts";
import { metadataDocuments, readMetadata, roleNameOf } from "./metadata-documents.ts";

/** The instance metadata service of one machine: version 2 only, credentials of its role, renewed before they expire. */
export interface MetadataService {
  readonly endpoint: string;
  announceSpotInterruption(action: string): void;
  close(): void;
}

export interface MetadataOptions {
  readonly machine: MachineDescription;
  readonly userData: string | undefined;
  currentTags(): Readonly<Record<string, string>>;
}

const credentialSeconds = 6 * 3600;
const renewBeforeMs = 15 * 60_000;
const longestTokenSeconds = 21_600;

export async function openMetadataService(lab: Lab, options: MetadataOptions): Promise<MetadataService> {
  const service = new Metadata(lab, options);
  const server = createServer((request, response) => {
    try {
      service.answer(request, response);
    } catch (error) {
      lab.logger.error(
        { instanceId: options.machine.instanceId, error: String(error) },
        "a metadata request failed",
      );
      send(response, 500, "Internal Server Error");
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    announceSpotInterruption: (action) => service.announceSpotInterruption(action),
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

class Metadata {
  readonly #lab: Lab;
  readonly #options: MetadataOptions;
  readonly #tokens = new Map<string, number>();
  #session: StoredSession | undefined;
  #spotAction: { readonly action: string; readonly time: string } | undefined;

  constructor(lab: Lab, options: MetadataOptions) {
    this.#lab = lab;
    this.#options = options;
  }

  announceSpotInterruption(action: string): void {
    const time = new Date(this.#lab.clock.now() + 120_000).toISOString().replace(/\.\d+Z$/, "Z");
    this.#spotAction = { action, time };
  }

  answer(request: IncomingMessage, response: ServerResponse): void {
    request.resume();
    const path = new URL(request.url ?? "/", "http://imds").pathname.replace(/^\/+/, "/");
    if (path === "/latest/api/token") return this.#answerToken(request, response);
    if (request.method !== "GET" && request.method !== "HEAD")
      return send(response, 405, "Method Not Allowed");
    const token = request.headers["x-aws-ec2-metadata-token"];
    const untilMs = typeof token === "string" ? this.#tokens.get(token) : undefined;
    if (untilMs === undefined || untilMs <= this.#lab.clock.now()) return send(response, 401, "Unauthorized");
    const [, version = "", rest = ""] = /^\/([^/]+)\/?(.*)$/.exec(path) ?? [];
    const content = version === "latest" || /^\d{4}-\d\d-\d\d$/.test(version) ? this.#read(rest) : undefined;
    return content === undefined ? send(response, 404, "Not Found") : send(response, 200, content);
  }

  #answerToken(request: IncomingMessage, response: ServerResponse): void {
    const seconds = Number(request.headers["x-aws-ec2-metadata-token-ttl-seconds"]);
    if (request.method !== "PUT") return send(response, 405, "Method Not Allowed");
    // A request that came through a proxy must not get a token.
    if (request.headers["x-forwarded-for"] !== undefined) return send(response, 403, "Forbidden");
    if (!(seconds >= 1 && seconds <= longestTokenSeconds)) return send(response, 400, "Bad Request");
    const nowMs = this.#lab.clock.now();
    for (const [token, untilMs] of this.#tokens) if (untilMs <= nowMs) this.#tokens.delete(token);
    const token = randomBytes(42).toString("base64url");
    this.#tokens.set(token, nowMs + seconds * 1000);
    response.setHeader("x-aws-ec2-metadata-token-ttl-seconds", String(seconds));
    send(response, 200, token);
  }

  #read(path: string): string | undefined {
    const { machine, userData } = this.#options;
    const folder = "meta-data/iam/security-credentials";
    const role = machine.roleArn === undefined ? undefined : roleNameOf(machine.roleArn);
    if (role !== undefined && path.replace(/\/$/, "") === folder) return role;
    if (role !== undefined && path === `${folder}/${role}`) return this.#credentials(machine.roleArn ?? "");
    const facts = {
      userData,
      tags: this.#options.currentTags(),
      spotAction: this.#spotAction,
      nowMs: this.#lab.clock.now(),
    };
    return readMetadata(metadataDocuments(machine, facts), path);
  }

  /** As EC2: a role that can't be assumed is told in the document, with status 200. */
  #credentials(roleArn: string): string {
    const { clock } = this.#lab;
    const { instanceId, region, privateIp } = this.#options.machine;
    const lastUpdated = new Date(clock.now()).toISOString();
    try {
      if (this.#session === undefined || this.#session.expiresAtMs - renewBeforeMs <= clock.now()) {
        this.#session = issueRoleCredentials(this.#lab, {
          roleArn,
          sessionName: instanceId,
          durationSeconds: credentialSeconds,
          trustPrincipal: "ec2.amazonaws.com",
          instance: { instanceId, region, privateIp },
        });
      }
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      const Code = "AssumeRoleUnauthorizedAccess";
      const Message = `EC2 cannot assume the role ${roleNameOf(roleArn)}. Please see documentation at https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_iam-ec2.html#troubleshoot_iam-ec2_errors-info-doc.`;
      return JSON.stringify({ Code, Message, LastUpdated: lastUpdated });
    }
    const { accessKeyId, secretAccessKey, sessionToken, expiresAtMs } = this.#session;
    const credentials = {
      Code: "Success",
      LastUpdated: lastUpdated,
      Type: "AWS-HMAC",
      AccessKeyId: accessKeyId,
      SecretAccessKey: secretAccessKey,
      Token: sessionToken,
      Expiration: new Date(expiresAtMs).toISOString().replace(/\.\d+Z$/, "Z"),
    };
    return JSON.stringify(credentials, null, 2);
  }
}

function send(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { "content-type": "text/plain", server: "EC2ws" });
  response.end(body);
}
