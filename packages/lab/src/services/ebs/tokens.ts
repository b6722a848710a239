import { createHmac, timingSafeEqual } from "node:crypto";
import type { Lab } from "../../lab.ts";
import { AwsError } from "../../wire/aws-error.ts";

/*
 * Tokens carry what they allow under a keyed hash: nothing has to be remembered, and they survive a restart. A block
 * token is good for one block of one snapshot; a page token for one listing. Both end, and every listing makes others.
 *
 *   block: "B", expiry (s, 4 bytes), nonce (4 bytes), HMAC over kind, snapshot and block
 *   page:  "P", expiry, next block (4 bytes), HMAC over kind and the listing's parameters
 */
const macBytes = 16;
const headBytes = 9;

export interface TokenScope {
  readonly snapshotId: string;
  readonly block: number;
}

/** Makes tokens for the blocks of one listing. */
export function blockTokenMaker(lab: Lab, expiresAtMs: number): (scope: TokenScope) => string {
  const nonce = Buffer.from(lab.random.bytes(4)).readUInt32BE();
  return ({ snapshotId, block }) =>
    seal(lab, { kind: "B", expiresAtMs, number: nonce, scope: `${snapshotId}/${block}` });
}

/** Throws unless the token is for this block and hasn't expired. */
export function checkBlockToken(lab: Lab, token: string, { snapshotId, block }: TokenScope): void {
  const opened = open(lab, token, { kind: "B", scope: `${snapshotId}/${block}` });
  if (opened === undefined)
    throw invalidToken(
      "INVALID_BLOCK_TOKEN",
      "The block token is not valid for this block, or it has expired.",
    );
}

export function newPageToken(
  lab: Lab,
  listing: { readonly scope: string; readonly nextBlock: number },
): string {
  const expiresAtMs = lab.clock.now() + lab.ec2.settings.pageTokenMs;
  return seal(lab, { kind: "P", expiresAtMs, number: listing.nextBlock, scope: listing.scope });
}

/** The block that the page begins with. */
export function readPageToken(lab: Lab, token: string, scope: string): number {
  const nextBlock = open(lab, token, { kind: "P", scope });
  if (nextBlock === undefined)
    throw invalidToken(
      "INVALID_PAGE_TOKEN",
      "The page token is not valid for this listing, or it has expired.",
    );
  return nextBlock;
}

interface Token {
  readonly kind: "B" | "P";
  readonly expiresAtMs: number;
  readonly number: number;
  readonly scope: string;
}

function seal(lab: Lab, token: Token): string {
  const head = Buffer.alloc(headBytes);
  head.write(token.kind, 0, "latin1");
  head.writeUInt32BE(Math.floor(token.expiresAtMs / 1000), 1);
  head.writeUInt32BE(token.number, 5);
  return Buffer.concat([head, mac(lab, head, token.scope)]).toString("base64");
}

/** The token's number, or nothing when it isn't ours, for something else, or too old. */
function open(lab: Lab, text: string, expected: Pick<Token, "kind" | "scope">): number | undefined {
  const bytes = Buffer.from(text, "base64");
  if (bytes.length !== headBytes + macBytes || bytes.toString("latin1", 0, 1) !== expected.kind)
    return undefined;
  const head = bytes.subarray(0, headBytes);
  if (!timingSafeEqual(mac(lab, head, expected.scope), bytes.subarray(headBytes))) return undefined;
  if (head.readUInt32BE(1) * 1000 < lab.clock.now()) return undefined;
  return head.readUInt32BE(5);
}

function mac(lab: Lab, head: Buffer, scope: string): Buffer {
  return createHmac("sha256", lab.ec2.tokenKey).update(head).update(scope).digest().subarray(0, macBytes);
}

function invalidToken(reason: string, message: string): AwsError {
  return new AwsError("ValidationException", message, { status: 400, members: { Reason: reason } });
}
