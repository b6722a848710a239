import { parseSlotName } from "../../format/object-names.ts";
import type { SimulatedBucket } from "../world/simulated-bucket.ts";
import { Violation } from "../world/violation.ts";
import type { RepositoryModel } from "./repository-model.ts";

/** When everybody is at rest and two passes are over, all that is left is reached by a point, or is there to stay. */
export function checkRest(model: RepositoryModel, bucket: SimulatedBucket): void {
  const needed = new Set<string>();
  const addForward = (forward: string | undefined) => {
    if (forward !== undefined) needed.add(forward).add(model.forwards.targetOf(forward));
  };
  const reached = [...model.livePoints()].flatMap(({ reach }) => [...reach]);
  for (const [pack, items] of reached) {
    if (bucket.has(pack)) needed.add(pack);
    else [...items.values()].forEach((item) => addForward(model.forwards.forwardOf(pack, item)));
  }
  for (const key of bucket.keys) {
    if (isToStay(model, key) || needed.has(key)) continue;
    throw new Violation(10, `${key} is left over`);
  }
}

/** Keys, tombstones, fences and their like stay for ever; notes tell of what was; a probe of the clock may be lost. */
function isToStay(model: RepositoryModel, key: string): boolean {
  const [domain, kind] = key.split("/");
  if (domain !== model.keyring.keys.domain || kind === "end" || kind === "note") return true;
  if (kind !== "point") return false;
  const session = parseSlotName(key)!.session;
  return model.kindInSlot(key) !== "record" || model.livePoints().some((point) => point.session === session);
}
