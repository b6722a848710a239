import type { Keeper } from "../keeper/notes.ts";
import type { DomainCheck } from "./check-plan.ts";

/** Whoever writes the notes of a check that has a memory. */
export function keeperOf(check: DomainCheck): Keeper | undefined {
  const { memory, keys, store, repository } = check;
  if (memory === undefined) return undefined;
  return { ...memory, keys, store, controlPrivateKey: repository.controlPrivateKey(keys.domain) };
}
