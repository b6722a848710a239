import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { callContextKeys, doesCallCarry } from "../packages/iam/src/call-context-keys.ts";
import { globalConditionKeys } from "../packages/iam/src/global-condition-keys.ts";
import { parseServiceReference } from "../packages/iam/src/lint/service-reference.ts";
import { roleCatalogue } from "../packages/roles/src/role-catalogue.ts";
import { referencePath } from "./service-reference.ts";
import { projectRoot } from "./source-files.ts";

const reference = parseServiceReference(readFileSync(join(projectRoot, referencePath), "utf8"));

test("the service authorization reference lists every key that our calls are said to carry", () => {
  const wrong = [...callContextKeys].flatMap(([action, keys]) => {
    const [service = "", name = ""] = action.split(":");
    const facts = reference.find(service)?.actions.get(name);
    if (facts === undefined) return [`${action} is no action`];
    const unlisted = [...keys].filter((key) => !facts.conditionKeys.has(key.toLowerCase()));
    return unlisted.map((key) => `${action} carries no ${key}`);
  });
  expect(wrong).toEqual([]);
});

test("a grant tests no key that its calls are known not to carry", () => {
  const grants = roleCatalogue.flatMap(({ operations }) =>
    operations.flatMap((operation) => operation.grants),
  );
  const wrong = grants.flatMap(({ id, actions, conditions = {} }) => {
    const tested = Object.values(conditions).flatMap(Object.keys);
    return actions.flatMap((action) =>
      tested
        .filter((key) => doesCallCarry(action, key) === false)
        .map((key) => `${id}: ${action} and ${key}`),
    );
  });
  expect(wrong).toEqual([]);
});

test("a call carries the global keys, except the tags of resources and requests where it has none", () => {
  expect(globalConditionKeys.length).toBeGreaterThan(50);
  expect(doesCallCarry("ec2:DescribeInstances", "aws:SourceVpce")).toBe(true);
  expect(doesCallCarry("ec2:DescribeInstances", "aws:ResourceTag/team")).toBe(false);
  expect(doesCallCarry("EC2:StopInstances", "AWS:resourcetag/team")).toBe(true);
  expect(doesCallCarry("lambda:InvokeFunction", "lambda:FunctionArn")).toBe(undefined);
});
