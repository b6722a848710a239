import { allServices } from "@garrison/lab/services/all-services";
import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";

test.each(allServices.map((service) => [service.signingName, service] as const))(
  "docs/lab.md names each operation of %s",
  async (_name, service) => {
    const page = await readFile(new URL("../../docs/lab.md", import.meta.url), "utf8");
    const words = new Set(page.split(/[^A-Za-z0-9]+/));
    expect(Object.keys(service.operations).filter((operation) => !words.has(operation))).toEqual([]);
  },
);
