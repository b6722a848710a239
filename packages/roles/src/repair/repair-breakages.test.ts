import { describe, expect, it } from "vitest";
import { chainSubjects } from "../chain-subjects.ts";
import { roleValues } from "../export-role.ts";
import { findRole } from "../role-catalogue.ts";
import type { RoleDefinition } from "../role-definition.ts";
import { readPolicies } from "../seen-policies.ts";
import { allBreakages } from "../testing/breakages/all-breakages.ts";
import { applyPatches } from "../testing/breakages/apply-patches.ts";
import type { Breakage } from "../testing/breakages/breakage.ts";
import {
  applianceArn,
  backup,
  checkStage,
  workingStage,
  type WorkingStage,
} from "../testing/breakages/working-stage.ts";
import {
  applyOwnerPatch,
  beforeOf,
  heldInMemory,
  holdInMemory,
  restored,
} from "../testing/held-in-memory.ts";
import { memoryPolicyReader, type MemoryRole } from "../testing/memory-world.ts";
import { applianceSubject } from "./appliance-subject.ts";
import { applyChanges } from "./apply-changes.ts";
import { planRepair } from "./plan-repair.ts";
import { planUndo } from "./plan-undo.ts";
import type { RepairPlan } from "./repair-plan.ts";

const call = { signal: new AbortController().signal };

function breakStage(row: Breakage): WorkingStage {
  const stage = workingStage(row.options);
  const asked = row.break(stage) ?? {};
  return { ...stage, request: { ...stage.request, ...asked } };
}

interface Repair {
  readonly role: MemoryRole;
  readonly held: ReturnType<typeof heldInMemory>;
  readonly plan: RepairPlan;
}

/** Every role that takes part, the appliance's included, each by its own owner: planned and written one after the other. */
async function repairAll(
  stage: WorkingStage,
  others: { readonly applyPatches: boolean } = { applyPatches: false },
): Promise<readonly Repair[]> {
  const { world } = stage;
  const caller = { arn: world.caller, accountId: backup };
  // As the operator writes them: for this installation, not for the one that the role was written for by mistake.
  const { installation: _mistaken, ...options } = stage.options;
  const values = (role: RoleDefinition) => roleValues(role, options);
  const chain = chainSubjects(stage.request, caller).filter(({ roleArn }) => world.roles.has(roleArn));
  const appliance = applianceSubject(applianceArn, values(findRole("appliance")));
  const done: Repair[] = [];
  for (const subject of [...chain, appliance]) {
    const role = world.roles.get(subject.roleArn)!;
    const held = heldInMemory(role);
    const surroundings = (await readPolicies(memoryPolicyReader(world), subject, call)) ?? {};
    const form = stage.options.form ?? "scoped";
    const wanted = { form, values: { ...values(subject.role), roleArn: subject.roleArn } };
    const plan = planRepair({ subject, caller, wanted, held, surroundings });
    holdInMemory(role, applyChanges(held, plan.changes));
    if (others.applyPatches) for (const patch of plan.patches) applyOwnerPatch(world, role, patch);
    done.push({ role, held, plan });
  }
  return done;
}

const rowsOf = (mendedBy: Breakage["mendedBy"]) => allBreakages.filter((row) => row.mendedBy === mendedBy);

describe("what the role's owner can mend is mended by a repair, and put back to the letter by its undo:", () => {
  it.each(rowsOf("role-owner"))("$name", async (row) => {
    const stage = breakStage(row);
    const before = [...stage.world.roles.values()].map(heldInMemory);
    const repairs = await repairAll(stage);
    expect(repairs.flatMap(({ plan }) => [...plan.patches, ...plan.unmended])).toEqual([]);
    expect((await checkStage(stage)).findings.filter(({ verdict }) => verdict === "failed")).toEqual([]);
    const again = await repairAll(stage);
    expect(again.flatMap(({ plan }) => plan.changes)).toEqual([]);
    for (const { held, plan, role } of repairs) {
      const { changes, roleArn } = plan;
      const record = {
        format: "garrison-role-undo/1",
        roleArn,
        plannedAt: "",
        before: held,
        changes,
      } as const;
      const now = heldInMemory(role);
      holdInMemory(role, applyChanges(now, planUndo(record, beforeOf(now), { force: false })));
    }
    expect([...stage.world.roles.values()].map(heldInMemory)).toEqual(before.map(restored));
    expect((await checkStage(stage)).verdict).toBe("failed");
  });
});

describe("what others own is left as it is, and mended by the printed patches:", () => {
  it.each(rowsOf("other"))("$name", async (row) => {
    const stage = breakStage(row);
    const repairs = await repairAll(stage, { applyPatches: true });
    const chain = repairs.filter(({ role }) => role.arn !== applianceArn);
    expect(chain.flatMap(({ plan }) => plan.changes)).toEqual([]);
    applyPatches(stage.world, await checkStage(stage));
    expect((await checkStage(stage)).findings.filter(({ verdict }) => verdict === "failed")).toEqual([]);
  });
});

describe("what no policy mends is not said to be mended:", () => {
  // Whether an account has room for another profile is IAM's own to say, when it is asked for one.
  const rows = rowsOf("nobody").filter(({ links }) => links[0] !== "instance-profile");
  it.each(rows)("$name", async (row) => {
    const stage = breakStage(row);
    const repaired = await repairAll(stage).catch((error: unknown) => error);
    if (repaired instanceof Error) expect(repaired).toMatchObject({ code: "role-document-too-large" });
    expect((await checkStage(stage)).verdict).toBe("failed");
  });
});
