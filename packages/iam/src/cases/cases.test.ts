import { expect, test } from "vitest";
import { evaluate } from "../evaluate.ts";
import { explain } from "../explain.ts";
import { parseCase } from "../parse-case.ts";
import { readCaseFiles } from "./read-case-files.ts";

const cases = readCaseFiles();

test("there are at least 200 cases", () => {
  expect(cases.length).toBeGreaterThanOrEqual(200);
});

test.each(cases.map((each) => [`${each.feature}: ${each.given.name}`, each] as const))(
  "%s",
  (_title, each) => {
    expect(evaluate(parseCase(each.given))).toMatchObject(each.expected);
  },
);

test("every decision is explained by one sentence that names caller, action and resource", () => {
  for (const { given } of cases) {
    const { sentence } = explain(given, evaluate(given));
    expect(sentence).toContain(given.request.action);
    expect(sentence).toContain(given.request.resource.resource);
    expect(sentence.endsWith(".")).toBe(true);
  }
});
