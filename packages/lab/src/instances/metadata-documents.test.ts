import { expect, test } from "vitest";
import { metadataDocuments, readMetadata } from "./metadata-documents.ts";

const machine = {
  instanceId: "i-0123",
  accountId: "222222222222",
  region: "eu-central-1",
  privateIp: "10.0.0.7",
  imageId: "ami-1",
  tags: {},
};
const facts = { userData: undefined, tags: { Name: "web" }, spotAction: undefined, nowMs: 0 };

test("documents are read and folders listed", () => {
  const documents = metadataDocuments(machine, facts);
  expect(readMetadata(documents, "meta-data/local-hostname")).toBe(
    "ip-10-0-0-7.eu-central-1.compute.internal",
  );
  expect(readMetadata(documents, "meta-data/placement/")).toBe("availability-zone\nregion");
  expect(readMetadata(documents, "")).toBe("dynamic/\nmeta-data/");
  expect(readMetadata(documents, "meta-data/nothing")).toBeUndefined();
});

test("tags, user data and a Spot interruption are there only when they are", () => {
  const without = metadataDocuments(machine, facts);
  for (const path of ["meta-data/tags/instance/Name", "user-data", "meta-data/spot/instance-action"]) {
    expect(readMetadata(without, path)).toBeUndefined();
  }
  const spotAction = { action: "terminate", time: "2026-01-01T00:00:00Z" };
  const all = metadataDocuments(
    { ...machine, metadataTags: true },
    { ...facts, userData: "#!/bin/sh", spotAction },
  );
  expect(readMetadata(all, "meta-data/tags/instance/Name")).toBe("web");
  expect(readMetadata(all, "user-data")).toBe("#!/bin/sh");
  expect(JSON.parse(readMetadata(all, "meta-data/spot/instance-action") ?? "")).toEqual(spotAction);
});

test("the identity document names instance, account and Region", () => {
  const text = readMetadata(metadataDocuments(machine, facts), "dynamic/instance-identity/document") ?? "";
  expect(JSON.parse(text)).toMatchObject({
    instanceId: "i-0123",
    accountId: "222222222222",
    region: "eu-central-1",
  });
});
