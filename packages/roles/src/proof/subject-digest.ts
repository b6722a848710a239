import { createHash } from "node:crypto";
import type { ProofSubject } from "./proof-subject.ts";

/** Changes when the right does: its action, resources, conditions or where it applies, not its wording. */
export function subjectDigest({ role, grant, action }: ProofSubject): string {
  const { id, resources, conditions, placement, neededWhen } = grant;
  const right = [role, id, action, resources, conditions ?? {}, placement, neededWhen ?? ""];
  return createHash("sha256").update(JSON.stringify(right)).digest("hex").slice(0, 16);
}
