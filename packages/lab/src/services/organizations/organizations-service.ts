import type { LabService } from "../../wire/operation-handler.ts";
import * as policies from "./policy-operations.ts";
import * as structure from "./structure-operations.ts";

/** AWS Organizations: its tree and its policies. */
export const organizationsService: LabService = {
  signingName: "organizations",
  load: async () => {
    const module = await import("@aws-sdk/client-organizations");
    return { module, client: new module.OrganizationsClient({ region: "us-east-1" }) };
  },
  deniedCode: "AccessDeniedException",
  operations: {
    DescribeOrganization: structure.describeOrganization,
    ListRoots: structure.listRoots,
    ListAccounts: structure.listAccounts,
    DescribeAccount: structure.describeAccount,
    ListAccountsForParent: structure.listAccountsForParent,
    ListOrganizationalUnitsForParent: structure.listOrganizationalUnitsForParent,
    DescribeOrganizationalUnit: structure.describeOrganizationalUnit,
    ListParents: structure.listParents,
    ListChildren: structure.listChildren,
    CreateOrganizationalUnit: structure.createOrganizationalUnit,
    MoveAccount: structure.moveAccount,
    CreatePolicy: policies.createPolicy,
    UpdatePolicy: policies.updatePolicy,
    DeletePolicy: policies.deletePolicy,
    DescribePolicy: policies.describePolicy,
    ListPolicies: policies.listPolicies,
    ListPoliciesForTarget: policies.listPoliciesForTarget,
    ListTargetsForPolicy: policies.listTargetsForPolicy,
    AttachPolicy: policies.attachPolicy,
    DetachPolicy: policies.detachPolicy,
  },
};
