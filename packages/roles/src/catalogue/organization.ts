import type { Grant } from "../grant.ts";
import type { OperationDefinition } from "../operation-definition.ts";

const own: Pick<Grant, "placement" | "caller"> = { placement: "always", caller: "appliance" };
const units = [
  "arn:${partition}:organizations::${account}:root/o-*/r-*",
  "arn:${partition}:organizations::${account}:ou/o-*/ou-*",
];

export const organization: OperationDefinition = {
  id: "organization.read",
  title: "List the accounts of an organisation",
  planned: true,
  grants: [
    {
      ...own,
      id: "organization-roots",
      actions: ["organizations:DescribeOrganization", "organizations:ListRoots"],
      resources: ["*"],
      step: "list accounts",
      why: "The walk over the organisation starts at its root; AWS offers no narrower resource for these reads.",
    },
    {
      ...own,
      id: "organization-units",
      actions: ["organizations:ListAccountsForParent", "organizations:ListOrganizationalUnitsForParent"],
      resources: units,
      step: "list accounts",
      why: "Policies protect whole organisational units, so accounts are listed by the unit that they are in.",
    },
    {
      ...own,
      id: "organization-tags",
      actions: ["organizations:ListTagsForResource"],
      resources: ["arn:${partition}:organizations::${account}:account/o-*/*"],
      step: "list accounts",
      why: "Policies and worker settings choose accounts by tag.",
    },
  ],
};
