import { carryOut } from "../world/store-request.ts";
import type { Mistake } from "./mistake.ts";

/** What a folder store does that renames its temporary file to the final name, and a bucket without the condition. */
export const renameInsteadOfLink: Mistake = {
  name: "rename-instead-of-link",
  what: "creating an object overwrites one that is there",
  foundBy: [3],
  carryOut(bucket, request, time) {
    if (request.method !== "create") return carryOut(bucket, request, time);
    bucket.put(request.key, { bytes: request.bytes!, modifiedMs: time.modifiedMs });
    return "created";
  },
};
