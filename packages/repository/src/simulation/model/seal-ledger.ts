import { Violation } from "../world/violation.ts";

const leastBytes = 8;
const mostBytes = 16;

/**
 * Watches that no key seals twice under one nonce, without knowing how keys are made: of whatever is sealed the model
 * knows plain and sealed bytes, and their difference is the key stream, which only the same key and nonce give again.
 */
export class SealLedger {
  readonly #streams = new Map<string, string>();

  note(where: string, plain: Uint8Array, sealed: Uint8Array): void {
    const length = Math.min(plain.length, mostBytes);
    if (length < leastBytes) return;
    const stream = Buffer.alloc(length);
    for (let at = 0; at < length; at++) stream[at] = plain[at]! ^ sealed[at]!;
    const name = stream.toString("latin1");
    const before = this.#streams.get(name);
    if (before !== undefined && before !== where) {
      throw new Violation(5, `${where} is sealed under the key and nonce of ${before}`);
    }
    this.#streams.set(name, where);
  }
}
