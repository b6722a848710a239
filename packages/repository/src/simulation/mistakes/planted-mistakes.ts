import { commitBeforePages } from "./commit-before-pages.ts";
import type { Mistake } from "./mistake.ts";
import { nonceByLane } from "./nonce-by-lane.ts";
import { opensBeforeTombstones } from "./opens-before-tombstones.ts";
import { renameInsteadOfLink } from "./rename-instead-of-link.ts";
import { skipStepZero } from "./skip-step-zero.ts";
import { tableOffByOne } from "./table-off-by-one.ts";
import { tombstoneBeforeOpen } from "./tombstone-before-open.ts";
import { tombstoneGoesWithRecord } from "./tombstone-goes-with-record.ts";
import { uncommittedForwards } from "./uncommitted-forwards.ts";
import { vanishedAccepted } from "./vanished-accepted.ts";

/** Each of them must be found within the histories of a run. */
export const plantedMistakes: readonly Mistake[] = [
  tombstoneBeforeOpen,
  opensBeforeTombstones,
  skipStepZero,
  uncommittedForwards,
  tombstoneGoesWithRecord,
  commitBeforePages,
  renameInsteadOfLink,
  nonceByLane,
  tableOffByOne,
  vanishedAccepted,
];
