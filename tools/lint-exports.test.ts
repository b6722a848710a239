import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { lintPolicy } from "../packages/iam/src/lint/lint-policy.ts";
import { parseServiceReference } from "../packages/iam/src/lint/service-reference.ts";
import { exportRole } from "../packages/roles/src/export-role.ts";
import { roleIds } from "../packages/roles/src/role-catalogue.ts";
import { referencePath } from "./service-reference.ts";
import { projectRoot } from "./source-files.ts";

const reference = parseServiceReference(readFileSync(join(projectRoot, referencePath), "utf8"));
const accounts = { backup: "111111111111", production: "222222222222" };

test.each(roleIds())(
  "the documents that Garrison writes for %s hold nothing that linting calls an error",
  (id) => {
    const errors = (["scoped", "compatible"] as const).flatMap((form) => {
      const options = { form, accounts, withWorkersInProduction: true, externalId: "x" };
      const { trust, inlinePolicies, managedPolicies } = exportRole(id, options);
      const reports = [
        lintPolicy(trust, { reference, kind: "trust" }),
        ...inlinePolicies.map(({ document }) => lintPolicy(document, { reference, kind: "inline" })),
        ...managedPolicies.map(({ document }) => lintPolicy(document, { reference, kind: "managed" })),
      ];
      return reports.flatMap(({ findings }) => findings.filter(({ severity }) => severity === "error"));
    });
    expect(errors).toEqual([]);
  },
);
