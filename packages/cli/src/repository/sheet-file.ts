import { open, rm } from "node:fs/promises";
import { GarrisonError } from "@garrison/core/garrison-error";

/** A file that an escrow sheet is going to be written to. One that stays empty is removed. */
export interface SheetFile extends AsyncDisposable {
  readonly file: string;
  write(text: string): Promise<void>;
}

/** Opened before the secret is made, so that none is made which can't be kept; readable by its owner alone. */
export async function openSheetFile(file: string): Promise<SheetFile> {
  const handle = await open(file, "wx", 0o600).catch((cause: unknown) => {
    throw new GarrisonError("usage", `the escrow sheet ${file} can't be created: the file must be new`, {
      cause,
    });
  });
  let isWritten = false;
  return {
    file,
    async write(text) {
      await handle.writeFile(text);
      await handle.sync();
      isWritten = true;
    },
    async [Symbol.asyncDispose]() {
      await handle.close();
      if (!isWritten) await rm(file, { force: true });
    },
  };
}
