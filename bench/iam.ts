/**
 * How many decisions a second one core makes: a role with 5 policies of 50 statements under an SCP path of 4 levels, asked
 * about a fixed mixture of requests, by our evaluator and, in the same run and alternating, by a straightforward one that
 * builds regular expressions for each statement it looks at. Prints the median of 5 rounds of each. Run: node bench/iam.ts
 */
import { evaluate } from "../packages/iam/src/evaluate.ts";
import type { EvaluationCase, NamedPolicy, OrganizationLevel } from "../packages/iam/src/evaluation-case.ts";

interface Statement {
  readonly Sid: string;
  readonly Effect: "Allow" | "Deny";
  readonly Action?: string | readonly string[];
  readonly NotAction?: readonly string[];
  readonly Resource: string | readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
}

const account = "222222222222";
const services = ["s3", "ec2", "sqs", "ssm", "kms", "iam", "sns", "rds", "dynamodb", "lambda"] as const;
const verbs = ["Get", "List", "Describe", "Create", "Delete", "Put", "Update"] as const;
const nouns = ["Object", "Instances", "Message", "Parameter", "Role", "Table", "Snapshot"] as const;

function pick<T>(list: readonly T[], place: number): T {
  return list[place % list.length] as T;
}

function makeStatement(place: number): Statement {
  const service = pick(services, place);
  const [verb, noun] = [pick(verbs, place * 3), pick(nouns, place * 5)];
  const resource = `arn:aws:${service}:*:${account}:${noun.toLowerCase()}/team-${place}/*`;
  const shape = place % 5;
  return {
    Sid: `S${place}`,
    Effect: place % 17 === 16 ? "Deny" : "Allow",
    Action:
      shape === 0 ? `${service}:${verb}*` : [`${service}:${verb}${noun}`, `${service}:${verb}${noun}Tags`],
    Resource: shape === 1 ? [resource, `${resource}/\${aws:PrincipalTag/team}`] : resource,
    ...(shape === 2 ? { Condition: { StringEquals: { "aws:ResourceTag/team": ["blue", "green"] } } } : {}),
    ...(shape === 3 ? { Condition: { StringLike: { "aws:PrincipalTag/team": "bl*" } } } : {}),
    ...(shape === 4 ? { Condition: { Bool: { "aws:SecureTransport": "true" } } } : {}),
  };
}

const identityPolicies: readonly NamedPolicy[] = Array.from({ length: 5 }, (_, policy) => ({
  name: `P${policy}`,
  policy: {
    Version: "2012-10-17",
    Statement: Array.from({ length: 50 }, (_, statement) => makeStatement(policy * 50 + statement)),
  },
}));

const regionDeny: Statement = {
  Sid: "Regions",
  Effect: "Deny",
  NotAction: ["iam:*", "sts:*", "organizations:*", "support:*"],
  Resource: "*",
  Condition: { StringNotEquals: { "aws:RequestedRegion": ["eu-central-1", "eu-west-1"] } },
};
const serviceControlPolicies: readonly OrganizationLevel[] = ["r-root", "ou-a", "ou-b", account].map(
  (id) => ({
    orgIdentifier: id,
    policies: [
      {
        name: "FullAWSAccess",
        policy: { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "*", Resource: "*" }] },
      },
      { name: "regions", policy: { Version: "2012-10-17", Statement: [regionDeny] } },
    ],
  }),
);

const context = {
  "aws:RequestedRegion": "eu-central-1",
  "aws:SecureTransport": "true",
  "aws:PrincipalTag/team": "blue",
  "aws:ResourceTag/team": "green",
};

/** Every statement is asked for once (allowed, or denied by the few denies), every fourth request fits none. */
const cases: readonly EvaluationCase[] = Array.from({ length: 250 }, (_, place) => {
  const { Action, Resource } = makeStatement(place);
  const action = ([Action].flat()[0] as string).replace("*", pick(nouns, place));
  const name = ([Resource].flat()[0] as string).replace(":*:", ":eu-central-1:").replace(/\*$/, "thing");
  return {
    request: {
      action: place % 4 === 3 ? "glacier:ListVaults" : action,
      resource: { resource: name, accountId: account },
      principal: `arn:aws:sts::${account}:assumed-role/app/s`,
      context,
    },
    identityPolicies,
    serviceControlPolicies,
  };
});

type Decide = (given: EvaluationCase) => string;

function toRegex(pattern: string, flags: string, values: Readonly<Record<string, string>>): RegExp {
  const filled = pattern.replaceAll(/\$\{([^}]+)\}/g, (_, key: string) => values[key] ?? "\u0000");
  const source = filled
    .replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`)
    .replaceAll("*", "[^]*")
    .replaceAll("?", "[^]");
  return new RegExp(`^${source}$`, flags);
}

/** What one writes first: each statement's patterns become regular expressions when it is looked at. */
function appliesByRegex(statement: Statement, { request }: EvaluationCase): boolean {
  const values = request.context as Readonly<Record<string, string>>;
  const matchesAny = (patterns: string | readonly string[], text: string, flags: string) =>
    [patterns].flat().some((pattern) => toRegex(pattern, flags, values).test(text));
  const actionFits =
    statement.Action === undefined
      ? !matchesAny(statement.NotAction ?? [], request.action, "i")
      : matchesAny(statement.Action, request.action, "i");
  if (!actionFits || !matchesAny(statement.Resource, request.resource.resource, "")) return false;
  return Object.entries(statement.Condition ?? {}).every(([operator, keys]) =>
    Object.entries(keys).every(([key, wanted]) => {
      const actual = values[key];
      const isNegated = operator.includes("Not");
      if (actual === undefined) return isNegated;
      const fits = operator.endsWith("Like")
        ? matchesAny(wanted, actual, "")
        : [wanted].flat().includes(actual);
      return fits !== isNegated;
    }),
  );
}

const byRegex: Decide = (given) => {
  const statementsOf = (policies: readonly NamedPolicy[]) =>
    policies.flatMap(({ policy }) => (policy as { Statement: readonly Statement[] }).Statement);
  const sets = [
    statementsOf(given.identityPolicies ?? []),
    ...(given.serviceControlPolicies ?? []).map(({ policies }) => statementsOf(policies)),
  ].map((statements) => statements.filter((statement) => appliesByRegex(statement, given)));
  if (sets.flat().some(({ Effect }) => Effect === "Deny")) return "ExplicitlyDenied";
  return sets.every((set) => set.length > 0) ? "Allowed" : "ImplicitlyDenied";
};

const byUs: Decide = (given) => evaluate(given).decision;

/** Decisions per second of processor time (of all threads, so the collector's count too): what else runs has no say. */
function measure(decide: Decide, forMs: number): number {
  const start = process.cpuUsage();
  let count = 0;
  for (;;) {
    for (const given of cases) decide(given);
    count += cases.length;
    const { user, system } = process.cpuUsage(start);
    if (user + system >= forMs * 1000) return (count * 1_000_000) / (user + system);
  }
}

function median(values: readonly number[]): number {
  return [...values].sort((left, right) => left - right)[values.length >> 1] as number;
}

for (const given of cases) {
  const [ours, theirs] = [byUs(given), byRegex(given)];
  if (ours !== theirs)
    throw new Error(`${given.request.action}: ${ours}, but ${theirs} by regular expressions`);
}
measure(byUs, 300);
const rounds = Array.from({ length: 5 }, () => ({ ours: measure(byUs, 500), theirs: measure(byRegex, 500) }));
const [ours, theirs] = [median(rounds.map((each) => each.ours)), median(rounds.map((each) => each.theirs))];
const tally = Map.groupBy(cases.map(byUs), (decision) => decision);
process.stdout.write(
  [
    `250 requests (${[...tally].map(([decision, all]) => `${all.length} ${decision}`).join(", ")}), 5 policies of 50 statements, 4 SCP levels`,
    `garrison:            ${Math.round(ours).toLocaleString("en")} decisions per core-second (median of 5)`,
    `regex per statement: ${Math.round(theirs).toLocaleString("en")} decisions per core-second (median of 5)`,
    `ratio:               ${(ours / theirs).toFixed(1)}`,
    "",
  ].join("\n"),
);
