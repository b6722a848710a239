import * as fc from "fast-check";
import { expect, test } from "vitest";
import { matchesCodes } from "../wildcard-pattern.ts";
import { doesCover, doOverlap, literalCodes, patternCodes, templateCodes } from "./compare-patterns.ts";

/** Every text of up to four letters, to try patterns on. */
const texts = ["", "a", "b"].flatMap((one) =>
  ["", "a", "b"].flatMap((two) =>
    ["", "a", "b"].flatMap((three) => ["", "a", "b"].map((four) => one + two + three + four)),
  ),
);
const pattern = fc
  .array(fc.constantFrom("a", "b", "*", "?"), { maxLength: 4 })
  .map((parts) => parts.join(""));
const matches = (source: string) => texts.filter((text) => matchesCodes(literalCodes(source), text));

test("two patterns overlap if some text matches both", () => {
  fc.assert(
    fc.property(pattern, pattern, (left, right) => {
      const shared = new Set(matches(left));
      // Patterns of up to four places that share a text share a short one.
      expect(doOverlap(literalCodes(left), literalCodes(right))).toBe(
        matches(right).some((text) => shared.has(text)),
      );
    }),
    { numRuns: 3_000, seed: 31 },
  );
});

test("a pattern covers another one only if it matches whatever that one matches", () => {
  let covered = 0;
  fc.assert(
    fc.property(pattern, pattern, (outer, inner) => {
      if (!doesCover(literalCodes(outer), literalCodes(inner))) return;
      covered += 1;
      const wide = new Set(matches(outer));
      expect(matches(inner).filter((text) => !wide.has(text))).toEqual([]);
    }),
    { numRuns: 3_000, seed: 32 },
  );
  expect(covered).toBeGreaterThan(300);
});

test.each([
  ["arn:${Partition}:s3:::${BucketName}", "arn:aws:s3:::b", true],
  ["arn:${Partition}:s3:::${BucketName}", "arn:aws:s3:::b*", true],
  ["arn:${Partition}:s3:::${BucketName}", "arn:aws:s3:::b/*", false],
  ["arn:${Partition}:s3:::${BucketName}/${ObjectName}", "arn:aws:s3:::b/a/c", true],
  ["arn:${Partition}:iam::${Account}:role/${RoleNameWithPath}", "arn:aws:iam::111111111111:role/a/b", true],
  ["arn:${Partition}:iam::${Account}:role/${RoleNameWithPath}", "arn:aws:iam::111111111111:user/a", false],
  ["arn:${Partition}:sqs:${Region}:${Account}:${QueueName}", "arn:aws:sqs:*:*:${aws:username}", true],
  ["arn:${Partition}:sqs:${Region}:${Account}:${QueueName}", "arn:aws:sns:*:*:t", false],
])("the resource type %s and the resource %s: %s", (template, resource, expected) => {
  expect(doOverlap(patternCodes(resource), templateCodes(template))).toBe(expected);
});
