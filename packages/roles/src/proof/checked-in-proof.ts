import proven from "./proven.json" with { type: "json" };
import type { ProofRecord } from "./proof-record.ts";

/** The last proof, as `npm run prove` wrote it. */
export const checkedInProof = proven as unknown as ProofRecord;
