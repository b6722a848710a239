import { mapConcurrent } from "@garrison/core/map-concurrent";
import type { GrantProbe } from "./grant-probes.ts";
import type { Answer, Call, RoleProbe, SimulatedDecision } from "./prober.ts";

/** IAM limits simulations tightly, and says so nowhere; a few at a time stay below it. */
const concurrency = 3;

export interface SimulatedProbes {
  /** `undefined`: the simulator was not asked or gave no verdict for that pair. */
  readonly decision: (probe: GrantProbe, action: string, resource: string) => SimulatedDecision | undefined;
  /** The first answer that was no verdict, if there was one. */
  readonly failure?: Exclude<Answer<never>, { readonly outcome: "known" }>;
}

interface Batch {
  readonly actions: Set<string>;
  readonly resources: Set<string>;
  readonly context: GrantProbe["context"];
}

/**
 * Asks the simulator once for each context. It answers for all actions on all resources of a call; pairs that no grant asks
 * for cost nothing but the words, whereas calls are what AWS limits.
 */
export async function simulateProbes(
  role: { readonly probe: RoleProbe; readonly roleArn: string },
  probes: readonly GrantProbe[],
  call: Call,
): Promise<SimulatedProbes> {
  const batches = new Map<string, Batch>();
  for (const probe of probes) {
    const { context } = probe;
    const batch = batches.get(batchKey(probe)) ?? { actions: new Set(), resources: new Set(), context };
    for (const action of probe.actions) batch.actions.add(action);
    for (const resource of probe.resources) batch.resources.add(resource);
    batches.set(batchKey(probe), batch);
  }
  const decisions = new Map<string, SimulatedDecision>();
  let failure: SimulatedProbes["failure"];
  const answers = mapConcurrent(
    batches,
    { concurrency, signal: call.signal },
    async ([key, { actions, context, resources }]) => {
      const { roleArn } = role;
      const request = { roleArn, actions: [...actions], resources: [...resources], context };
      return { key, answer: await role.probe.simulate(request, call) };
    },
  );
  for await (const { answer, key } of answers) {
    if (answer.outcome !== "known") failure ??= answer;
    else for (const one of answer.value) decisions.set(`${key} ${one.action} ${one.resource}`, one);
  }
  return {
    decision: (probe, action, resource) => decisions.get(`${batchKey(probe)} ${action} ${resource}`),
    ...(failure === undefined ? {} : { failure }),
  };
}

/** `*` is asked for by itself: its verdict stands where others have one for each resource. */
function batchKey(probe: GrantProbe): string {
  const context = Object.entries(probe.context).sort(([first], [second]) => (first < second ? -1 : 1));
  return JSON.stringify([probe.resources.includes("*"), context]);
}
