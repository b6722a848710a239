import { acceptedWidth } from "./accepted-width.ts";
import type { ProofRecord, ProvenAction } from "./proof-record.ts";

/**
 * Every operation had enough rights, no right is one too many, and none reaches further than its grant says; findings that
 * the catalogue keeps with a reason are no failure.
 */
export function isProven({ sufficient, actions }: ProofRecord): boolean {
  return sufficient.every(({ isSufficient }) => isSufficient) && openFindings(actions).length === 0;
}

export function openFindings(actions: readonly ProvenAction[]): readonly ProvenAction[] {
  return actions.filter((one) => isOpen(one) || isTooWide(one));
}

function isOpen({ verdict }: ProvenAction): boolean {
  return verdict !== "necessary" && verdict !== "by-contract";
}

function isTooWide(action: ProvenAction): boolean {
  return action.allowedElsewhere !== undefined && acceptedWidth(action) === undefined;
}
