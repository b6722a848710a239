import { statementId, type Grant } from "./grant.ts";
import type { ProofRecord } from "./proof/proof-record.ts";
import type { RoleDefinition } from "./role-definition.ts";
import { builtOperations } from "./role-operations.ts";

/** What a reviewer asks first: how much there is, what of it reaches everything, and what holds back the rest. */
export function permissionsOverview(roles: readonly RoleDefinition[], proof: ProofRecord): string {
  const held = roles.flatMap((role) => builtOperations(role).flatMap(({ grants }) => grants));
  const byId = new Map(held.map((grant) => [grant.id, grant]));
  // What AWS's agent may ask for by AWS's own policy is told where the worker role is.
  const grants = [...byId.values()].filter((one) => one.contract === undefined || one.contract.actions);
  const changing = grants.filter((grant) => grant.actions.some(changes));
  const byBound = Map.groupBy(changing, boundOf);
  const everywhere = grants.filter(({ resources }) => resources.includes("*"));
  return [
    "## At a glance",
    countSentence(proof),
    "What Garrison can change or read of your data, by what holds it back (statements by their Sid, as in the exported documents):",
    [
      "| held back by | statements |",
      "| --- | --- |",
      ...bounds
        .filter((bound) => byBound.has(bound))
        .map(
          (bound) => `| ${bound} | ${(byBound.get(bound) ?? []).map(statementText(changes)).join("; ")} |`,
        ),
    ].join("\n"),
    "What reaches every resource of an account, since AWS offers nothing narrower: descriptions, the results of Run Commands, CloudTrail's event history and, for the agent on a worker, its channel to Systems Manager.",
    everywhere.map((grant) => `- ${statementText(() => true)(grant)}`).join("\n"),
  ].join("\n\n");
}

function countSentence({ actions }: ProofRecord): string {
  const count = (verdict: string) => actions.filter((one) => one.verdict === verdict).length;
  const [necessary, contract] = [count("necessary"), count("by-contract")];
  const open = actions.length - necessary - contract;
  const denied = actions.reduce((sum, { deniedElsewhere = [] }) => sum + deniedElsewhere.length, 0);
  const rest = open === 0 ? "No right is left over." : `**${open} are not proven.**`;
  return `A right is one action of one statement in one role. Of ${actions.length} rights, ${necessary} were taken away one by one and missed, and ${contract} are held because a document of AWS's asks for them. ${rest} ${denied} requests about something foreign were refused.`;
}

/** Reads of an account's description; what reads the owner's data, or a secret, is none of them. */
const harmless = /:(Describe|Get|List|Lookup|Receive|Simulate)\w+$/;
const dataReads = ["ebs:GetSnapshotBlock", "s3:GetObject"];

function changes(action: string): boolean {
  return dataReads.includes(action) || !harmless.test(action);
}

const bounds = [
  "the installation's tag on the resource, or on the request that makes it",
  "the call that makes the resource: nothing that exists can be tagged",
  "the name: of the installation's queues, of listed roles, of the repository",
  "the service that the key is used through",
  "the calling instance, by its own credentials",
  "account and Region only",
] as const;

function boundOf({ conditions = {}, resources }: Grant): (typeof bounds)[number] {
  const keys = Object.values(conditions).flatMap(Object.keys);
  const tests = (part: string) => keys.some((key) => key.includes(part));
  if (tests("/garrison:installation")) return bounds[0];
  if (tests("ec2:CreateAction")) return bounds[1];
  if (resources.every((resource) => namesOwn.test(resource))) return bounds[2];
  if (tests("kms:ViaService")) return bounds[3];
  if (tests("ec2:SourceInstanceARN")) return bounds[4];
  return bounds[5];
}

/** A name that the owner or the installation gave, in the last part of an ARN. */
const namesOwn = /\$\{(?:\w+Arn|installation|bucket|bucketPrefix|stagingBucket|repositoryKeyArn)\}/;

function statementText(wanted: (action: string) => boolean): (grant: Grant) => string {
  return ({ actions, id }) =>
    `${statementId(id)} (${actions
      .filter(wanted)
      .map((action) => `\`${action}\``)
      .join(", ")})`;
}
