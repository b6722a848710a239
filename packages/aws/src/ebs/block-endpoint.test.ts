import { EBSClient, type EBSClientConfig } from "@aws-sdk/client-ebs";
import { expect, test } from "vitest";
import { resolveBlockEndpoint } from "./block-endpoint.ts";

const places: readonly (readonly [string, EBSClientConfig, string])[] = [
  ["an ordinary Region", { region: "eu-central-1" }, "https://ebs.eu-central-1.amazonaws.com/"],
  ["China", { region: "cn-north-1" }, "https://ebs.cn-north-1.amazonaws.com.cn/"],
  ["FIPS", { region: "us-east-1", useFipsEndpoint: true }, "https://ebs-fips.us-east-1.amazonaws.com/"],
  ["dual stack", { region: "us-west-2", useDualstackEndpoint: true }, "https://ebs.us-west-2.api.aws/"],
  [
    "an endpoint of one's own",
    { region: "x-1", endpoint: "http://127.0.0.1:4566/ebs" },
    "http://127.0.0.1:4566/ebs",
  ],
];

test.each(places)("the endpoint for %s is the SDK's", async (_, config, url) => {
  const endpoint = await resolveBlockEndpoint(new EBSClient(config));
  expect(endpoint.url.href).toBe(url);
  expect(endpoint).toMatchObject({ region: config.region, service: "ebs" });
});

test("a combination that AWS doesn't have is refused", async () => {
  const ebs = new EBSClient({ region: "eu-central-1", useFipsEndpoint: true, endpoint: "http://127.0.0.1" });
  await expect(resolveBlockEndpoint(ebs)).rejects.toThrow("FIPS and custom endpoint");
});
