import { hash } from "node:crypto";
import { GarrisonError } from "@garrison/core/garrison-error";
import { blockSizeBytes } from "@garrison/repository/disk/block-source";
import type { FetchedBlock } from "./block-client.ts";
import { requestIdOf } from "./block-error.ts";
import type { BlockRequest } from "./block-request.ts";
import type { HttpAnswer } from "./response-reader.ts";

/** The block that came, if it is one, whole, and has the checksum that EBS gives for it. */
export function verifiedBlock(answer: HttpAnswer, doing: string): FetchedBlock {
  const { body: bytes, headers } = answer;
  const stated = headers.get("x-amz-data-length") ?? String(blockSizeBytes);
  if (bytes.length !== blockSizeBytes || stated !== String(blockSizeBytes))
    throw damaged(answer, `${doing}: ${bytes.length} bytes came instead of ${blockSizeBytes}`);
  const sha256 = hash("sha256", bytes, "buffer");
  const isSame = sha256.toString("base64") === headers.get("x-amz-checksum");
  if (!isSame || (headers.get("x-amz-checksum-algorithm") ?? "SHA256") !== "SHA256")
    throw damaged(answer, `${doing}: checksum differs`);
  return { bytes, sha256 };
}

/** EBS says what it took: anything else than what was sent has to be sent again. */
export function checkTaken(answer: HttpAnswer, { headers, doing }: BlockRequest): void {
  const taken = answer.headers.get("x-amz-checksum");
  if (taken !== undefined && taken !== headers["x-amz-checksum"])
    throw damaged(answer, `${doing}: EBS took other bytes`);
}

function damaged(answer: HttpAnswer, message: string): GarrisonError {
  return new GarrisonError("ebs-block-damaged", message, { details: { requestId: requestIdOf(answer) } });
}
