import { isGarrisonError } from "@garrison/core/garrison-error";
import type { Logger } from "@garrison/core/logger";

/** A look-alike is a chance, no need: what can't be read of it is passed over, and its blocks are stored again. */
export async function passOver<Result>(
  owner: { readonly logger: Logger; readonly point: string },
  read: () => Promise<Result>,
): Promise<Result | undefined> {
  try {
    return await read();
  } catch (error) {
    if (!isGarrisonError(error) || error.code === "aborted" || error.code === "internal") throw error;
    const { logger, point } = owner;
    logger.info({ point, code: error.code }, "a look-alike is not readable and is passed over");
    return undefined;
  }
}
