import type { OperationDefinition } from "../operation-definition.ts";

export const workerConfiguration: OperationDefinition = {
  id: "worker.configuration",
  title: "Offer networks to launch workers in",
  planned: true,
  grants: [
    {
      id: "configuration-lists",
      actions: [
        "ec2:DescribeAvailabilityZones",
        "ec2:DescribeRegions",
        "ec2:DescribeSecurityGroups",
        "ec2:DescribeSubnets",
        "ec2:DescribeVpcs",
      ],
      resources: ["*"],
      placement: "always",
      caller: "appliance",
      step: "choose the network",
      why: "Whoever sets up workers chooses Region, zone, network, subnet and security groups from lists; EC2 offers no narrower resource for these reads, and the role can do nothing else.",
    },
  ],
};
