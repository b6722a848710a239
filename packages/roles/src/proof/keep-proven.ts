import type { ProofRecord, ProofVerdict, ProvenAction } from "./proof-record.ts";
import type { ProofSubject } from "./proof-subject.ts";
import { subjectDigest } from "./subject-digest.ts";

const unsettled: readonly ProofVerdict[] = ["undecided", "superfluous", "not-asked"];

/** What of an earlier proof still holds: of these subjects, those whose right is the same and was decided well. */
export function keepProven(
  { actions }: Pick<ProofRecord, "actions">,
  subjects: readonly ProofSubject[],
): readonly ProvenAction[] {
  const digests = new Set(subjects.map(subjectDigest));
  return actions.filter(({ digest, verdict }) => digests.has(digest) && !unsettled.includes(verdict));
}
