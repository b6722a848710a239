import type { BucketSettings, KmsGrant } from "@garrison/iam/evaluation-case";
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { CallerPrincipal } from "../identity/caller-principal.ts";
import type { Lab } from "../lab.ts";

/** One resource that an action touches, as the authoriser sees it. */
export interface ResourceAccess {
  /** ARN, or `*` for actions that have no resource. */
  readonly arn: string;
  /** The account that owns it. */
  readonly accountId: string;
  /** Becomes aws:ResourceTag/* (and ec2:ResourceTag/* and the like for services that have their own). */
  readonly tags?: Readonly<Record<string, string>>;
  /** The resource's own policy document (bucket, queue, key, trust). */
  readonly policy?: object;
  /** Of a KMS key. */
  readonly kmsGrants?: readonly KmsGrant[];
  /** What an S3 bucket has besides its policy: Block Public Access, ownership, ACLs. */
  readonly bucket?: BucketSettings;
  /** Condition keys that hold for this resource only (ec2:Volume*, ebs:ParentSnapshot, ...). */
  readonly context?: Readonly<Record<string, string | readonly string[]>>;
}

export interface Authorization {
  readonly action: string;
  /** At least one; each must be allowed. */
  readonly resources: readonly ResourceAccess[];
  /** Service-specific keys and aws:RequestTag/x, aws:TagKeys; global keys are filled in by the lab. */
  readonly context?: Readonly<Record<string, string | readonly string[]>>;
}

/** The HTTP side of a call, for the few operations that need it (S3, websockets). */
export interface WireRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly host: string;
  readonly sourceIp: string;
  /** Trailing headers of an aws-chunked body; complete once the body has been read to its end. */
  trailers(): Readonly<Record<string, string>>;
  /** S3: `header`, `query` (presigned) or `anonymous`. */
  readonly authentication: "header" | "query" | "anonymous";
}

export interface Call {
  readonly requestId: string;
  /** The caller's account. */
  readonly accountId: string;
  readonly region: string;
  readonly partition: string;
  readonly principal: CallerPrincipal;
  readonly request: WireRequest;
  readonly lab: Lab;
  /** Fires when the client goes away or the lab stops. */
  readonly signal: AbortSignal;
  /** Runs once the answer has left, however it went: memory lent to it is free again. */
  whenAnswered(run: () => void): void;
  /**
   * Throws the service's own access denied error unless every resource is allowed. Every handler calls it; the
   * dispatcher refuses to answer for one that didn't (operations listed in `unauthorised` excepted).
   */
  authorize(authorization: Authorization): void;
  isAllowed(authorization: Authorization): boolean;
}

/** `input` is the SDK's `<Op>CommandInput`, the result its output without `$metadata`. Binary streams: see read-body.ts. */
export type Operation = (input: never, call: Call) => Promise<object> | object;

/** An SDK client whose schemas drive the codec. */
export interface ClientSchemas {
  readonly module: object;
  readonly client: unknown;
}

/** A JSON protocol no SDK client exists for (the Systems Manager agent's endpoints). */
export interface PlainJson {
  /** Operation by the last part of `X-Amz-Target`, or by these routes; `{label}` segments and the JSON body make the input. */
  readonly plainJson: readonly {
    readonly method: string;
    readonly path: string;
    readonly operation: string;
  }[];
}

export interface UpgradeRequest {
  readonly message: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
}

export interface LabService {
  /** The service name of the SigV4 credential scope. */
  readonly signingName: string;
  /** Loads the SDK client on the service's first request, so that starting stays fast. */
  readonly load: () => Promise<ClientSchemas | PlainJson>;
  readonly operations: Readonly<Record<string, Operation>>;
  /** "AccessDenied" | "UnauthorizedOperation" | "AccessDeniedException" */
  readonly deniedCode: string;
  /** No operation uses a body after it was answered: the memory of bodies of one block is used again. */
  readonly borrowsBodies?: true;
  /** Operations that AWS answers without asking for permission. */
  readonly unauthorised?: readonly string[];
  /** Takes over a signed websocket request (signature and credentials are verified before). */
  readonly upgrade?: (upgrade: UpgradeRequest, call: Call) => Promise<void> | void;
}
