import * as fc from "fast-check";
import { expect, test } from "vitest";
import { evaluate } from "../evaluate.ts";
import { explain } from "../explain.ts";
import { parseCase } from "../parse-case.ts";
import { arbitraryCase } from "./arbitrary-case.ts";
import { bruteForce } from "./brute-force.ts";

test("with all context known, the decision is that of the obvious evaluator", () => {
  fc.assert(
    fc.property(arbitraryCase, ({ unknownContext: _none, ...given }) => {
      expect([evaluate(given).decision]).toEqual([...bruteForce(given)]);
    }),
    { numRuns: 4_000, seed: 20_261_124 },
  );
});

test("with unknown context, the decision holds in every world", () => {
  let settled = 0;
  let open = 0;
  fc.assert(
    fc.property(arbitraryCase, (given) => {
      const { decision } = evaluate(given);
      const worlds = bruteForce(given);
      if (decision === "Unknown") {
        open += 1;
        settled += worlds.size === 1 ? 1 : 0;
      } else if (decision === "ImplicitlyDenied") expect(worlds).not.toContain("Allowed");
      else expect([...worlds]).toEqual([decision]);
    }),
    { numRuns: 2_000, seed: 20_261_125 },
  );
  // An open answer that nothing could change is allowed where tests are entangled, but has to stay rare.
  expect(settled).toBeLessThan(open / 2);
});

test("a decision doesn't depend on the order of statements or policies", () => {
  fc.assert(
    fc.property(arbitraryCase, (given) => {
      const turned = {
        ...given,
        identityPolicies: (given.identityPolicies ?? []).toReversed().map(({ name = "", policy }) => {
          const { Statement } = policy as { Statement: object[] };
          return { name, policy: { ...policy, Statement: Statement.toReversed() } };
        }),
      };
      expect(evaluate(turned).decision).toBe(evaluate(given).decision);
    }),
    { numRuns: 1_000, seed: 20_261_126 },
  );
});

test("whatever the case, parsing accepts it and explaining names its action", () => {
  fc.assert(
    fc.property(arbitraryCase, (given) => {
      const { sentence } = explain(given, evaluate(parseCase(given)));
      expect(sentence).toContain(given.request.action);
    }),
    { numRuns: 1_000, seed: 20_261_127 },
  );
});

test("what grants and limits beside the policies decides some of the generated cases", () => {
  const layers = ["kmsGrants", "bucket", "managementAccountId", "serviceControlPolicies"] as const;
  const cases = fc.sample(arbitraryCase, { numRuns: 1_000, seed: 20_261_128 });
  const counts = layers.map((layer) => {
    const changed = cases.filter((given) => {
      const { [layer]: _left, ...rest } = given;
      return evaluate(rest).decision !== evaluate(given).decision;
    });
    return [layer, changed.length] as const;
  });
  expect(counts.filter(([, count]) => count < 5)).toEqual([]);
});
