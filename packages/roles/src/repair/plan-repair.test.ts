import { describe, expect, it } from "vitest";
import type { StatementDocument } from "@garrison/iam/policy-document";
import type { ChainReport } from "../chain-report.ts";
import type { ChainRequest } from "../chain-request.ts";
import { chainSubjects } from "../chain-subjects.ts";
import { checkChain } from "../check-chain.ts";
import { exportRole, roleValues, type ExportOptions } from "../export-role.ts";
import { policySize } from "../policy-statement.ts";
import type { RoleId } from "../role-definition.ts";
import {
  applyOwnerPatch,
  beforeOf,
  heldInMemory,
  holdInMemory,
  restored,
} from "../testing/held-in-memory.ts";
import {
  addRole,
  memoryPolicyReader,
  memoryProber,
  memoryWorld,
  type MemoryRole,
  type MemoryWorld,
} from "../testing/memory-world.ts";
import { applyChanges } from "./apply-changes.ts";
import { statementsOf, withStatements } from "./edit-policy.ts";
import type { HeldRole } from "./held-role.ts";
import { planRepair } from "./plan-repair.ts";
import { planUndo, type UndoRecord } from "./plan-undo.ts";
import type { RepairPlan } from "./repair-plan.ts";

const backup = "111111111111";
const production = "222222222222";
const applianceSession = `arn:aws:sts::${backup}:assumed-role/garrison-appliance/i-0123456789abcdef0`;
const call = { signal: new AbortController().signal };
const roleArn = (account: string, name: string): string => `arn:aws:iam::${account}:role/${name}`;
const options: ExportOptions = {
  accounts: { backup, production },
  externalId: "garrison-7f3a",
  withWorkersInProduction: true,
};
const request: ChainRequest = {
  roleArn: roleArn(production, "garrison-backup-ec2"),
  operations: ["ec2.image-backup"],
  placement: "production",
  externalId: "garrison-7f3a",
  region: "eu-central-1",
};
const caller = { arn: applianceSession, accountId: backup };

interface Stage {
  readonly world: MemoryWorld;
  readonly role: (id: "backup-ec2" | "worker") => MemoryRole;
  check(): Promise<ChainReport>;
  /** The plans of all roles of the chain, the launching role's first. */
  plan(): readonly { readonly role: MemoryRole; readonly held: HeldRole; readonly plan: RepairPlan }[];
}

function stage(form: "scoped" | "compatible" = "scoped"): Stage {
  const world = memoryWorld(applianceSession);
  const made = new Map<RoleId, MemoryRole>();
  made.set("appliance", addRole(world, backup, exportRole("appliance", { ...options, form })));
  for (const id of ["backup-ec2", "worker"] as const)
    made.set(id, addRole(world, production, exportRole(id, { ...options, form })));
  const parts = { prober: memoryProber(world), policyReader: memoryPolicyReader(world) };
  return {
    world,
    role: (id) => made.get(id)!,
    check: () => checkChain(parts, request, call),
    plan: () =>
      chainSubjects(request, caller).map((subject) => {
        const role = world.roles.get(subject.roleArn)!;
        const levels = world.serviceControlPolicies.get(production);
        const held = heldInMemory(role);
        const wanted = { form, values: roleValues(subject.role, options) };
        const surroundings = levels === undefined ? {} : { serviceControlPolicies: levels };
        return { role, held, plan: planRepair({ subject, caller, wanted, held, surroundings }) };
      }),
  };
}

function editPolicy(
  role: MemoryRole,
  name: string,
  edit: (statement: StatementDocument) => readonly StatementDocument[],
) {
  role.identityPolicies = role.identityPolicies.flatMap((one) => {
    if (one.name !== name) return [one];
    const policy = withStatements(one.policy, statementsOf(one.policy).flatMap(edit));
    return policy === undefined ? [] : [{ name, policy }];
  });
}

const withoutAction =
  (action: string) =>
  (role: MemoryRole): void => {
    for (const { name = "" } of role.identityPolicies) {
      editPolicy(role, name, (statement) => {
        const Action = [statement.Action ?? []].flat().filter((one) => one !== action);
        return Action.length === 0 ? [] : [{ ...statement, Action }];
      });
    }
  };

const editTrust =
  (edit: (statement: StatementDocument) => readonly StatementDocument[]) =>
  (role: MemoryRole): void => {
    role.trust = { Version: "2012-10-17", Statement: statementsOf(role.trust).flatMap(edit) };
  };

const onAppliance = (change: Partial<StatementDocument>) =>
  editTrust((one) => (one.Sid === "GarrisonAppliance" ? [{ ...one, ...change }] : [one]));

const deny = (change: Partial<StatementDocument>): StatementDocument => ({
  Sid: "Stop",
  Effect: "Deny",
  Action: "*",
  Resource: "*",
  ...change,
});
const document = (...statements: StatementDocument[]): object => ({
  Version: "2012-10-17",
  Statement: statements,
});
const everythingOf = (action: string): StatementDocument => ({
  Effect: "Allow",
  Action: action,
  Resource: "*",
});
const everything: StatementDocument = { Sid: "All", Effect: "Allow", Action: "*", Resource: "*" };
const addTrust = (statement: StatementDocument) => (role: MemoryRole) => {
  role.trust = document(...statementsOf(role.trust), statement);
};
const trustDeny = (change: Partial<StatementDocument>): StatementDocument => {
  const { Resource: _none, ...rest } = deny({ Action: "sts:AssumeRole", ...change });
  return rest;
};
const addOwn =
  (name: string, ...statements: StatementDocument[]) =>
  (role: MemoryRole) => {
    role.identityPolicies.push({ name, policy: document(...statements) });
  };

type Row = readonly [what: string, role: "backup-ec2" | "worker", seed: (role: MemoryRole) => void];

const china = "ec2.amazonaws.com.cn";

/** Broken within the reach of whoever owns the role. */
const own: readonly Row[] = [
  ["no instance profile", "worker", (role) => void (role.profiles = [])],
  ["only a profile of another name", "worker", (role) => void (role.profiles = ["shared"])],
  ["EC2 isn't trusted", "worker", editTrust((one) => (one.Sid === "GarrisonInstances" ? [] : [one]))],
  [
    "EC2 is trusted by its name in another partition",
    "worker",
    editTrust((one) =>
      one.Sid === "GarrisonInstances" ? [{ ...one, Principal: { Service: china } }] : [one],
    ),
  ],
  [
    "the appliance isn't trusted",
    "worker",
    editTrust((one) => (one.Sid === "GarrisonAppliance" ? [] : [one])),
  ],
  [
    "another account is trusted",
    "backup-ec2",
    onAppliance({ Principal: { AWS: "arn:aws:iam::333333333333:root" } }),
  ],
  ["a deleted role is trusted", "worker", onAppliance({ Principal: { AWS: "AROAEXAMPLE1234567890" } })],
  ["no external ID is asked for", "backup-ec2", onAppliance({ Condition: {} })],
  [
    "another external ID is asked for",
    "backup-ec2",
    onAppliance({ Condition: { StringEquals: { "sts:ExternalId": "somebody-else" } } }),
  ],
  [
    "a second statement lets the appliance in without external ID",
    "worker",
    addTrust({
      Sid: "Old",
      Effect: "Allow",
      Principal: { AWS: [`arn:aws:iam::${backup}:root`, "arn:aws:iam::333333333333:root"] },
      Action: "sts:AssumeRole",
    }),
  ],
  ["the trust denies everybody", "worker", addTrust(trustDeny({ Principal: "*" }))],
  ["the trust denies EC2", "worker", addTrust(trustDeny({ Principal: { Service: "ec2.amazonaws.com" } }))],
  [
    "the trust denies whoever isn't known",
    "backup-ec2",
    addTrust(
      trustDeny({
        Principal: "*",
        Condition: { ArnNotEquals: { "aws:PrincipalArn": "arn:aws:iam::333333333333:role/other" } },
      }),
    ),
  ],
  [
    "a policy of ours denies an action",
    "worker",
    addOwn("garrison-limits", deny({ Action: ["sqs:SendMessage", "s3:PutObject"] })),
  ],
  ["a policy of ours denies by pattern", "worker", addOwn("garrison-limits", deny({ Action: "sqs:*" }))],
  [
    "a whole policy of ours is gone",
    "backup-ec2",
    (role) => editPolicy(role, "garrison-ec2-image-backup", () => []),
  ],
  ["every policy is gone", "worker", (role) => void (role.identityPolicies = [])],
  [
    "a right is for another account only",
    "worker",
    (role) =>
      editPolicy(role, "garrison-worker", (one) =>
        one.Sid === "DialogueSend"
          ? [{ ...one, Resource: ["arn:aws:sqs:*:333333333333:garrison-*"] }]
          : [one],
      ),
  ],
  [
    "a right has a condition that never holds",
    "worker",
    (role) =>
      editPolicy(role, "garrison-worker", (one) =>
        one.Sid === "DialogueSend"
          ? [{ ...one, Condition: { StringEquals: { "aws:RequestedRegion": "us-east-1" } } }]
          : [one],
      ),
  ],
  [
    "trust, profile and a right at once",
    "worker",
    (role) => {
      role.profiles = [];
      role.trust = document({
        Effect: "Allow",
        Principal: { Service: "lambda.amazonaws.com" },
        Action: "sts:AssumeRole",
      });
      withoutAction("sqs:SendMessage")(role);
    },
  ],
];

function repair({
  plan,
  held,
  role,
}: ReturnType<Stage["plan"]>[number]): UndoRecord & { readonly before: HeldRole } {
  holdInMemory(role, applyChanges(held, plan.changes));
  return {
    format: "garrison-role-undo/1",
    roleArn: held.roleArn,
    plannedAt: "2026-11-25T04:00:00Z",
    before: held,
    changes: plan.changes,
  };
}

describe("a repair mends what its owner broke, finds nothing to do afterwards, and is undone to the letter:", () => {
  it.each(own)("%s", async (_what, id, seed) => {
    const { check, plan, role } = stage();
    seed(role(id));
    expect((await check()).verdict).toBe("failed");
    const before = structuredClone([role("backup-ec2"), role("worker")].map(heldInMemory));
    const planned = plan();
    expect(planned.flatMap((one) => [...one.plan.patches, ...one.plan.unmended])).toEqual([]);
    const records = planned.map(repair);
    const after = await check();
    expect(after.findings.filter(({ verdict }) => verdict === "failed")).toEqual([]);
    expect(plan().flatMap((one) => one.plan.changes)).toEqual([]);
    for (const record of records) {
      const mended = role(record.roleArn.endsWith("worker") ? "worker" : "backup-ec2");
      holdInMemory(
        mended,
        applyChanges(
          heldInMemory(mended),
          planUndo(record, beforeOf(heldInMemory(mended)), { force: false }),
        ),
      );
    }
    expect([role("backup-ec2"), role("worker")].map(heldInMemory)).toEqual(before.map(restored));
    expect((await check()).verdict).toBe("failed");
  });
});

describe("a repair leaves alone what is right:", () => {
  it.each(["scoped", "compatible"] as const)("roles in the %s form, whichever form is wanted", (held) => {
    const plans = stage(held).plan();
    expect(plans.map(({ plan }) => [plan.changes, plan.patches])).toEqual([
      [[], []],
      [[], []],
    ]);
  });

  it("rights that come from the owner's own managed policy", async () => {
    const { check, plan, role } = stage();
    role("worker").identityPolicies = [
      { name: `arn:aws:iam::${production}:policy/workers`, policy: document(everything) },
    ];
    expect((await check()).verdict).toBe("passed");
    expect(plan().flatMap((one) => one.plan.changes)).toEqual([]);
  });

  it("what others are trusted with", () => {
    const { plan, role } = stage();
    const lambda: StatementDocument = {
      Sid: "Functions",
      Effect: "Allow",
      Principal: { Service: "lambda.amazonaws.com" },
      Action: "sts:AssumeRole",
    };
    addTrust(lambda)(role("worker"));
    editTrust((one) => (one.Sid === "GarrisonInstances" ? [] : [one]))(role("worker"));
    const [, worker] = plan();
    expect(worker?.plan.changes).toHaveLength(1);
    expect(statementsOf(worker!.plan.changes[0]!.after!).map(({ Sid }) => Sid)).toEqual([
      "GarrisonAppliance",
      "Functions",
      "GarrisonInstances",
    ]);
  });

  it("the other principals of a statement that let the appliance in without external ID", () => {
    const { plan, role } = stage();
    const both = [`arn:aws:iam::${backup}:root`, "arn:aws:iam::333333333333:root"];
    addTrust({ Sid: "Old", Effect: "Allow", Principal: { AWS: both }, Action: "sts:AssumeRole" })(
      role("worker"),
    );
    const [, worker] = plan();
    const old = statementsOf(worker!.plan.changes[0]!.after!).find(({ Sid }) => Sid === "Old");
    expect(old?.Principal).toEqual({ AWS: ["arn:aws:iam::333333333333:root"] });
  });

  it("the other actions of a deny in a policy of ours", () => {
    const { plan, role } = stage();
    addOwn("garrison-limits", deny({ Action: ["sqs:SendMessage", "s3:PutObject"] }))(role("worker"));
    const [, worker] = plan();
    expect(worker?.plan.changes).toEqual([
      {
        what: "write the inline policy",
        name: "garrison-limits",
        before: document(deny({ Action: ["sqs:SendMessage", "s3:PutObject"] })),
        after: document(deny({ Action: ["s3:PutObject"] })),
      },
    ]);
  });
});

type ForeignRow = readonly [what: string, where: string, seed: (stage: Stage) => void];
const workloads = "ou-root-workloads";
const managed = `arn:aws:iam::${production}:policy/edge`;
const setLevel = ({ world }: Stage, ...statements: StatementDocument[]) =>
  void world.serviceControlPolicies.set(production, [
    { orgIdentifier: workloads, policies: [{ name: "p-guard", policy: document(...statements) }] },
  ]);

/** Broken where only somebody else may write. */
const foreign: readonly ForeignRow[] = [
  [
    "an organisation policy denies an action",
    "scp p-guard",
    (on) => setLevel(on, everything, deny({ Action: "ec2:RunInstances" })),
  ],
  [
    "an organisation policy denies all but some roles",
    "scp p-guard",
    (on) =>
      setLevel(
        on,
        everything,
        deny({
          Action: "ec2:*",
          Condition: { StringNotLike: { "aws:PrincipalArn": "arn:aws:iam::*:role/platform-*" } },
        }),
      ),
  ],
  [
    "an organisation's allow list leaves a service out",
    "scp p-guard",
    (on) =>
      setLevel(on, { ...everything, Action: ["ec2:*", "iam:*", "ssm:*", "ssmmessages:*", "sts:*", "s3:*"] }),
  ],
  [
    "an organisation's level allows nothing at all",
    "scp garrison-allow",
    ({ world }) => world.serviceControlPolicies.set(production, [{ orgIdentifier: workloads, policies: [] }]),
  ],
  [
    "a boundary is too narrow",
    `boundary ${managed}`,
    ({ role }) => {
      role("worker").permissionBoundaries = [
        {
          name: managed,
          policy: document({ Sid: "Edge", Effect: "Allow", NotAction: "sqs:*", Resource: "*" }),
        },
      ];
    },
  ],
  [
    "a boundary denies",
    `boundary ${managed}`,
    ({ role }) => {
      role("worker").permissionBoundaries = [
        { name: managed, policy: document(everything, deny({ Action: "ssmmessages:*" })) },
      ];
    },
  ],
  [
    "an attached managed policy denies",
    `identity ${managed}`,
    ({ role }) => addOwn(managed, deny({ NotAction: "s3:*", Action: undefined as never }))(role("worker")),
  ],
  [
    "an inline policy of another name denies",
    "identity quarantine",
    ({ role }) => addOwn("quarantine", deny({}))(role("worker")),
  ],
  [
    "a policy of AWS's own denies",
    "identity arn:aws:iam::aws:policy/AWSDenyAll",
    ({ role }) => addOwn("arn:aws:iam::aws:policy/AWSDenyAll", deny({}))(role("worker")),
  ],
];

describe("a repair never touches what isn't the role's own; the patch, made by its owner, mends it:", () => {
  it.each(foreign)("%s", async (_what, where, seed) => {
    const on = stage();
    seed(on);
    expect((await on.check()).verdict).toBe("failed");
    const planned = on.plan();
    expect(planned.flatMap(({ plan }) => plan.changes)).toEqual([]);
    const patches = planned.flatMap(({ plan }) => plan.patches);
    expect(new Set(patches.map((patch) => `${patch.layer} ${patch.policy}`))).toEqual(new Set([where]));
    for (const patch of patches) expect(patch.statements.length + patch.owner.length).toBeGreaterThan(1);
    for (const { role } of planned) {
      const next = on.plan().find(({ plan }) => plan.roleArn === role.arn)!;
      for (const patch of next.plan.patches) applyOwnerPatch(on.world, role, patch);
    }
    expect((await on.check()).findings.filter(({ verdict }) => verdict === "failed")).toEqual([]);
    expect(on.plan().flatMap(({ plan }) => plan.patches)).toEqual([]);
  });

  it("goes on with what is the role's own beside it", async () => {
    const on = stage();
    addOwn("quarantine", deny({ Action: "sqs:*" }))(on.role("worker"));
    withoutAction("sqs:SendMessage")(on.role("worker"));
    const [, worker] = on.plan();
    expect(worker?.plan.changes.map(({ name }) => name)).toEqual(["garrison-worker"]);
    expect(worker?.plan.patches.map(({ policy }) => policy)).toEqual(["quarantine"]);
  });

  it("prints a patch for a profile that another role is in", () => {
    const { role } = stage();
    const subject = chainSubjects(request, caller).find((one) => one.role.id === "worker")!;
    const held = heldInMemory(role("worker"));
    const taken = { ...held, instanceProfiles: [{ name: "garrison-worker", roleNames: ["web"] }] };
    const wanted = { form: "scoped", values: roleValues(subject.role, options) } as const;
    const plan = planRepair({ subject, caller, wanted, held: taken });
    expect(plan.changes).toEqual([]);
    expect(plan.patches[0]?.sentence).toContain("holds web");
  });
});

describe("a repair refuses", () => {
  const worker = () => chainSubjects(request, caller).find((one) => one.role.id === "worker")!;
  const wanted = () => ({ form: "scoped", values: roleValues(worker().role, options) }) as const;

  it("to write a trust without an external ID", () => {
    const { externalId: _none, ...subject } = worker();
    const held = heldInMemory(stage().role("worker"));
    expect(() =>
      planRepair({ subject: { ...subject, externalId: undefined }, caller, wanted: wanted(), held }),
    ).toThrow("give --external-id");
  });

  it("a trust that would exceed IAM's limit", () => {
    const { role } = stage();
    const many = Array.from(
      { length: 46 },
      (_, index) => `arn:aws:iam::33333333${String(index).padStart(4, "0")}:root`,
    );
    role("worker").trust = document({ Effect: "Allow", Principal: { AWS: many }, Action: "sts:AssumeRole" });
    const held = heldInMemory(role("worker"));
    expect(() => planRepair({ subject: worker(), caller, wanted: wanted(), held })).toThrow(
      /would take \d+ of 2048/,
    );
  });
});

describe("rights that the inline policies have no room for", () => {
  /** Leaves less room than a statement takes. */
  const fill = (role: MemoryRole) => {
    const padding = (length: number) => ({ ...everything, Resource: `arn:aws:s3:::${"x".repeat(length)}` });
    const used = role.identityPolicies.reduce((sum, { policy }) => sum + policySize(policy), 0);
    addOwn("theirs", padding(10_230 - used - policySize(document(padding(0)))))(role);
  };

  it("are printed as managed policies for their owner, who mends the role with them; the rest is repaired", async () => {
    const { check, plan, role, world } = stage();
    const worker = role("worker");
    withoutAction("sqs:SendMessage")(worker);
    worker.profiles = [];
    fill(worker);
    const [, planned] = plan();
    expect(planned?.plan.changes.map(({ what }) => what)).toEqual([
      "create the instance profile",
      "put the role into the instance profile",
    ]);
    const [patch, ...others] = planned?.plan.patches ?? [];
    expect(others).toEqual([]);
    expect(patch).toMatchObject({
      layer: "identity",
      policy: `arn:aws:iam::${production}:policy/garrison-worker-1`,
      owner: `the IAM administrators of account ${production}: a repair writes no managed policy`,
      statements: [{ after: { Sid: "DialogueSend", Action: ["sqs:SendMessage"] } }],
    });
    expect(patch).not.toHaveProperty("before");
    holdInMemory(worker, applyChanges(planned!.held, planned!.plan.changes));
    expect((await check()).verdict).toBe("failed");
    applyOwnerPatch(world, worker, patch!);
    expect((await check()).findings.filter(({ verdict }) => verdict === "failed")).toEqual([]);
    expect(plan().flatMap((one) => [...one.plan.changes, ...one.plan.patches])).toEqual([]);
  });

  it("get a name that no attached policy has", () => {
    const { plan, role } = stage();
    const worker = role("worker");
    withoutAction("sqs:SendMessage")(worker);
    fill(worker);
    addOwn(`arn:aws:iam::${production}:policy/garrison-worker-1`, everythingOf("s3:GetObject"))(worker);
    const [, planned] = plan();
    expect(planned?.plan.patches.map(({ policy }) => policy)).toEqual([
      `arn:aws:iam::${production}:policy/garrison-worker-2`,
    ]);
  });

  it("can't be had by a role that has as many managed policies as IAM takes", () => {
    const { plan, role } = stage();
    const worker = role("worker");
    withoutAction("sqs:SendMessage")(worker);
    fill(worker);
    for (let place = 0; place < 10; place++)
      addOwn(`arn:aws:iam::${production}:policy/app-${place}`, everythingOf("s3:GetObject"))(worker);
    expect(plan).toThrow("10 managed ones are attached, and the missing rights need 1 more; a role takes 10");
  });
});

describe("an undo", () => {
  function repaired() {
    const on = stage();
    on.role("worker").profiles = [];
    withoutAction("sqs:SendMessage")(on.role("worker"));
    const [, worker] = on.plan();
    return { on, record: repair(worker!), role: on.role("worker") };
  }

  it("does nothing when it is given a second time", () => {
    const { record, role } = repaired();
    holdInMemory(role, record.before);
    expect(planUndo(record, beforeOf(heldInMemory(role)), { force: false })).toEqual([]);
  });

  it("takes back what a repair that ended half-way had done", () => {
    const { record } = repaired();
    const half = applyChanges(record.before, record.changes.slice(0, 2));
    expect(record.changes).toHaveLength(3);
    const undone = applyChanges(half, planUndo(record, beforeOf(half), { force: false }));
    expect(undone).toEqual(record.before);
  });

  it("refuses a role whose repaired policy was changed since, and goes on with force", () => {
    const { record, role } = repaired();
    editPolicy(role, "garrison-worker", (one) => (one.Sid === "DialogueReceive" ? [] : [one]));
    const held = heldInMemory(role);
    expect(() => planUndo(record, beforeOf(held), { force: false })).toThrow(
      "the inline policy garrison-worker changed since",
    );
    expect(applyChanges(held, planUndo(record, beforeOf(held), { force: true }))).toEqual(record.before);
  });

  it("refuses a role that was changed where the repair never was", () => {
    const { record, role } = repaired();
    addOwn("theirs", everything)(role);
    expect(() => planUndo(record, beforeOf(heldInMemory(role)), { force: false })).toThrow(
      "the inline policy theirs",
    );
  });
});
