import type { PolicyDocument, StatementDocument } from "@garrison/iam/policy-document";
import type { ChainSubject } from "./chain-subjects.ts";
import { grantProbes } from "./grant-probes.ts";
import { foreignKeys, knownContextKeys } from "./known-context-keys.ts";
import type { CollectedPolicies, EndpointPolicies, PolicyReader } from "./policy-reader.ts";
import type { Call } from "./prober.ts";

/** The policies that decide about one role of the chain: its own side's, those of what it works on, those on the way. */
export interface SeenPolicies extends CollectedPolicies {
  /** By ARN of bucket or key. */
  readonly resourcePolicies: Readonly<Record<string, object>>;
  readonly endpointPolicies: EndpointPolicies;
  /** Context keys that any of them tests and the catalogue doesn't know. */
  readonly testedKeys: readonly string[];
}

/** Undefined when nobody may read the role; what else could not be read is named in `gaps`. */
export async function readPolicies(
  reader: PolicyReader | undefined,
  subject: ChainSubject,
  call: Call,
): Promise<SeenPolicies | undefined> {
  const own = await reader?.collect(subject.roleArn, call);
  if (reader === undefined || own?.outcome !== "known") return undefined;
  const gaps = [...own.value.gaps];
  const resourcePolicies: Record<string, object> = {};
  for (const arn of ownersOf(subject)) {
    const read = await reader.readResourcePolicy(arn, subject, call);
    if (read.outcome !== "known") gaps.push(`the policy of ${arn}`);
    else if (read.value !== undefined) resourcePolicies[arn] = read.value;
  }
  const endpoints = await readEndpoints(reader, subject, call);
  if (endpoints === undefined) gaps.push("VPC endpoint policies");
  const seen = { ...own.value, gaps, resourcePolicies, endpointPolicies: endpoints ?? {} };
  const tested = new Set(documentsOf(seen).flatMap(keysOf));
  return { ...seen, testedKeys: foreignKeys([...tested], knownContextKeys()) };
}

function documentsOf(seen: Omit<SeenPolicies, "testedKeys">): readonly object[] {
  const { resourceControlPolicies = [], serviceControlPolicies = [] } = seen;
  const levels = [...serviceControlPolicies, ...resourceControlPolicies];
  const named = [
    ...seen.identityPolicies,
    ...(seen.permissionBoundaries ?? []),
    ...Object.values(seen.endpointPolicies),
    ...levels.flatMap(({ policies }) => policies),
  ];
  return [...named.map(({ policy }) => policy), ...Object.values(seen.resourcePolicies)];
}

function keysOf(document: object): readonly string[] {
  const statements = [(document as PolicyDocument).Statement].flat() as readonly StatementDocument[];
  return statements.flatMap(({ Condition }) => Object.values(Condition ?? {}).flatMap(Object.keys));
}

async function readEndpoints(
  reader: PolicyReader,
  { accountId, role, subnetId }: ChainSubject,
  call: Call,
): Promise<EndpointPolicies | undefined> {
  if (role.id !== "worker" || subnetId === undefined) return {};
  const read = await reader.readEndpointPolicies({ accountId, subnetId }, call);
  return read.outcome === "known" ? read.value : undefined;
}

/** Buckets and keys that the role works on and that the request names: a sample key is nobody's. */
function ownersOf(subject: ChainSubject): readonly string[] {
  const keys = new Set(subject.values.repositoryKeyArn);
  const arns = grantProbes(subject).flatMap(({ resources }) =>
    resources.flatMap((resource) => {
      const owner = policyHolderOf(resource);
      return owner.includes(":s3:::") || keys.has(owner) ? [owner] : [];
    }),
  );
  return [...new Set(arns)];
}

/** The ARN of what carries the policy: an object's is its bucket's. */
export function policyHolderOf(resource: string): string {
  return resource.includes(":s3:::") ? (resource.split("/")[0] ?? resource) : resource;
}
