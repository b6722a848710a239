import { expect, test } from "vitest";
import { operationIds, roleCatalogue } from "../packages/roles/src/role-catalogue.ts";
import type { Grant } from "../packages/roles/src/grant.ts";
import { readSourceFiles } from "./source-files.ts";

/*
 * The catalogue is bound to the code both ways: what Garrison calls with its roles is granted, and what is granted is
 * called. The rights of planned operations count for neither: a call that only they would allow is not granted.
 */

/** Called with an operator's own credentials: no role of ours needs these rights. Versions and locks are the command line's. */
const operatorFiles =
  /\/(apply-(managed|role)-change|create-role|read-role-before|role-policy-reader|read-(account-limits|endpoint-policies|endpoints|network|resource-policy|route-table|vcpus)|create-bucket|s3-object-versions|s3-object-lock)\.ts$/;

/** Commands whose IAM action has another name. */
const actionOf: Readonly<Record<string, string>> = {
  "s3:ListObjectsV2": "s3:ListBucket",
  "s3:HeadObject": "s3:GetObject",
  "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
};

/** Needs no right. */
const free = new Set(["sts:GetCallerIdentity"]);

/** Rights that another call needs besides its own: nobody calls them by name. */
const impliedBy: Readonly<Record<string, string>> = {
  "iam:PassRole": "ec2:RunInstances",
  "ec2:CreateTags": "ec2:RunInstances",
  "sqs:TagQueue": "sqs:CreateQueue",
  "kms:CreateGrant": "ebs:StartSnapshot",
  "kms:Decrypt": "ebs:GetSnapshotBlock",
  "kms:DescribeKey": "ebs:GetSnapshotBlock",
  "kms:GenerateDataKey": "s3:PutObject",
  "kms:GenerateDataKeyWithoutPlaintext": "ebs:PutSnapshotBlock",
  "kms:ReEncryptFrom": "ebs:PutSnapshotBlock",
  "kms:ReEncryptTo": "ebs:PutSnapshotBlock",
};

const product = readSourceFiles("packages", [".ts"]).filter(
  (file) => file.path.includes("/src/") && !file.path.endsWith(".test.ts"),
);

/** What only the command line imports is called with the user's own credentials; our roles are the appliance's way. */
const underRoles = product.filter(({ path }) => /^packages\/(appliance|worker|aws)\//.test(path));
const isImported = (path: string): boolean => {
  const name = path.replace(/^packages\/aws\/src\//, "").replace(/\.ts$/, "");
  const last = name.split("/").at(-1) ?? name;
  return underRoles.some(
    ({ text }) => text.includes(`@garrison/aws/${name}"`) || text.includes(`/${last}.ts"`),
  );
};

const callers = product.filter(
  ({ path }) => path.startsWith("packages/aws/src/") && !operatorFiles.test(path) && isImported(path),
);

function calledActions(): ReadonlyMap<string, string> {
  const called = new Map<string, string>();
  for (const { path, text } of callers) {
    const services = new Map<string, string>();
    for (const [, names = "", service = ""] of text.matchAll(
      /import \{([^}]*)\} from "@aws-sdk\/client-(\w+)"/g,
    )) {
      for (const name of names.split(",")) services.set(name.trim(), service);
    }
    for (const [, command = ""] of text.matchAll(/new (\w+)Command\(/g)) {
      const named = `${services.get(`${command}Command`) ?? "?"}:${command}`;
      called.set(actionOf[named] ?? named, path);
    }
    // Block calls are sent by a client of our own.
    for (const [, command = ""] of text.matchAll(/\boperation: "(\w+SnapshotBlock)",/g))
      called.set(`ebs:${command}`, path);
    for (const [, name = ""] of text.matchAll(/\bpaginate(\w+)\(/g)) {
      called.set(`${services.get(`paginate${name}`) ?? "?"}:${name}`, path);
    }
  }
  return called;
}

const called = calledActions();
const operations = roleCatalogue.flatMap((role) => role.operations);
const grants: readonly Grant[] = operations
  .filter(({ planned }) => planned !== true)
  .flatMap((operation) => operation.grants);
const granted = new Set(grants.flatMap(({ actions }) => actions));

test("every call that Garrison makes with its roles is granted", () => {
  const missing = [...called].filter(([action]) => !granted.has(action) && !free.has(action));
  expect(missing).toEqual([]);
});

test.each(operationIds())("%s is planned exactly as long as no program of ours does it", (id) => {
  const programs = product.filter(({ path }) => /^packages\/(appliance|worker)\//.test(path));
  const isDone = programs.some(({ text }) => text.includes(`"${id}"`));
  expect(roleCatalogue.some(({ serves }) => serves.includes(id))).toBe(isDone);
});

test("every right that is granted to the appliance or the worker has a call that needs it", () => {
  const own = grants.filter(({ caller }) => caller === "appliance" || caller === "worker");
  const actions = new Set(own.flatMap(({ actions }) => actions));
  const unused = [...actions].filter((action) => !called.has(impliedBy[action] ?? action));
  expect(unused).toEqual([]);
});
