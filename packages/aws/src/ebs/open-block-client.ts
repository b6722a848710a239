import { throwIfAborted } from "@garrison/core/clock";
import { GarrisonError, isGarrisonError } from "@garrison/core/garrison-error";
import { translateAwsError } from "../translate-aws-error.ts";
import { checkTaken, verifiedBlock } from "./block-answer.ts";
import type { BlockClient } from "./block-client.ts";
import { openBlockLine, type BlockLineOptions } from "./block-line.ts";
import { readRequest, writeRequest, type BlockRequest } from "./block-request.ts";
import type { HttpAnswer } from "./response-reader.ts";

/**
 * GetSnapshotBlock and PutSnapshotBlock over connections of our own: what the SDK does for one block costs more than
 * reading, verifying and sealing it. docs/decisions/ebs-block-client.md says why and what it takes.
 */
export function openBlockClient(options: BlockLineOptions): BlockClient {
  const opening = openOnce(() => openBlockLine(options));
  let isClosed = false;

  async function send(request: BlockRequest, signal: AbortSignal): Promise<HttpAnswer> {
    try {
      throwIfAborted(signal);
      const line = await opening.get();
      if (isClosed) throw new GarrisonError("aborted", "the block client is closed");
      return await line.send(request, signal);
    } catch (error) {
      throw namedError(error, request.doing);
    }
  }

  return {
    async get(block, { signal }) {
      const request = readRequest(block);
      return verifiedBlock(await send(request, signal), request.doing);
    },
    async put(block, { signal }) {
      const request = writeRequest(block);
      checkTaken(await send(request, signal), request);
    },
    close: () => {
      isClosed = true;
      opening.opened()?.close();
    },
  };
}

function namedError(error: unknown, doing: string): GarrisonError {
  if (!isGarrisonError(error)) return translateAwsError(error, doing);
  return error;
}

/** Opens at the first use; a failure is not remembered. */
function openOnce<Opened>(open: () => Promise<Opened>) {
  let pending: Promise<Opened> | undefined;
  let opened: Opened | undefined;
  return {
    opened: () => opened,
    async get(): Promise<Opened> {
      if (opened !== undefined) return opened;
      pending ??= open().finally(() => (pending = undefined));
      return (opened = await pending);
    },
  };
}
