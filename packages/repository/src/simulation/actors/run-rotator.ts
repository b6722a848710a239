import { isGarrisonError } from "@garrison/core/garrison-error";
import type { Random } from "@garrison/core/random";
import { openKeyring } from "../../keys/open-keyring.ts";
import { planRotation } from "../../keys/plan-rotation.ts";
import { rotateKeys } from "../../keys/rotate-keys.ts";
import type { SimulatedProcess } from "../world/simulated-process.ts";
import { openStore, type Stage } from "./stage.ts";

/** Adds a key epoch, or finishes what a killed rotation began. One that is slower than another gives up. */
export async function runRotator(stage: Stage, process: SimulatedProcess): Promise<void> {
  const dependencies = {
    store: openStore(stage, process),
    clock: process.clock,
    random: notedRandom(stage, process),
  };
  const secrets = [stage.secret];
  try {
    const keyring = await openKeyring(dependencies, { secrets, every: true }, process);
    const plan = planRotation(keyring);
    const { epoch } = await rotateKeys(dependencies, { keyring, plan, secrets }, process);
    stage.scheduler.counts.add("keeper", `rotations to epoch ${epoch}`);
  } catch (error) {
    if (!isGarrisonError(error, "keys-conflict")) throw error;
    stage.scheduler.counts.add("keeper", "rotations that came too late");
  }
}

/** The model is told what is drawn: it can't read a new master key out of the wraps as long as nobody knows it. */
function notedRandom(stage: Stage, process: SimulatedProcess): Random {
  return {
    bytes(length) {
      const bytes = process.random.bytes(length);
      stage.model.keyring.noteDrawn(bytes);
      return bytes;
    },
  };
}
