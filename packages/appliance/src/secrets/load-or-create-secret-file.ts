import { open, readFile } from "node:fs/promises";
import { GarrisonError } from "@garrison/core/garrison-error";

export interface SecretFile {
  readonly text: string;
  /** Whether this call made it. */
  readonly isNew: boolean;
}

/** Reads a secret from a file that only its owner can read; makes the file with `draw()` when there is none. */
export async function loadOrCreateSecretFile(path: string, draw: () => string): Promise<SecretFile> {
  try {
    const file = await open(path, "wx", 0o600);
    const text = draw();
    await file.writeFile(`${text}\n`);
    await file.sync();
    await file.close();
    return { text, isNew: true };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") {
      throw new GarrisonError("configuration-invalid", `making the secret file ${path}`, { cause: error });
    }
  }
  const text = (await readFile(path, "utf8")).trim();
  if (text === "") throw new GarrisonError("configuration-invalid", `the secret file ${path} is empty`);
  return { text, isNew: false };
}
