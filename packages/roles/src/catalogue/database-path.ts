import type { Grant } from "../grant.ts";
import { asOwn, onOwn, whileMaking } from "./own-tag.ts";

const own: Pick<Grant, "placement" | "caller"> = { placement: "workers-in-production", caller: "appliance" };
const groups = "arn:${partition}:ec2:${region}:${account}:security-group/*";
const neededWhen = "the owner gives no security groups of their own for worker and database";

/**
 * How a worker reaches a database: two security groups, one on the worker and one on the database, made for one run and
 * removed after it. Owners who give a pair of their own need none of the rights marked so.
 */
export const databasePath: readonly Grant[] = [
  {
    ...own,
    id: "database-describe",
    actions: ["rds:DescribeDBInstances"],
    resources: ["arn:${partition}:rds:${region}:${account}:db:*"],
    step: "read the database",
    why: "Address, engine, version, network and status of the database decide where the worker starts and which client it uses.",
  },
  {
    ...own,
    id: "database-network",
    actions: ["ec2:DescribeSecurityGroups", "ec2:DescribeSubnets"],
    resources: ["*"],
    step: "open the path to the database",
    why: "The worker runs in the database's own network, so its subnets and security groups are looked at; EC2 offers no narrower resource for these reads.",
  },
  {
    ...own,
    id: "database-groups",
    actions: ["ec2:CreateSecurityGroup"],
    resources: [groups],
    conditions: asOwn,
    step: "open the path to the database",
    why: "Two security groups are made for the run, one for the worker and one for the database, with the installation's tag.",
    neededWhen,
  },
  {
    ...own,
    id: "database-groups-network",
    actions: ["ec2:CreateSecurityGroup"],
    resources: ["arn:${partition}:ec2:${region}:${account}:vpc/*"],
    step: "open the path to the database",
    why: "A security group is made in the network that the database is in.",
    neededWhen,
  },
  {
    ...own,
    id: "database-group-tags",
    actions: ["ec2:CreateTags"],
    resources: [groups],
    conditions: whileMaking("CreateSecurityGroup"),
    step: "open the path to the database",
    why: "Tags are set while a security group is made and never afterwards: nobody can claim a foreign one with this role.",
    neededWhen,
  },
  {
    ...own,
    id: "database-group-rules",
    actions: [
      "ec2:AuthorizeSecurityGroupEgress",
      "ec2:AuthorizeSecurityGroupIngress",
      "ec2:RevokeSecurityGroupEgress",
    ],
    resources: [groups],
    conditions: onOwn,
    step: "open the path to the database",
    why: "The pair lets the worker reach the database's port and nothing else; rules of other security groups can't be touched.",
    neededWhen,
  },
  {
    ...own,
    id: "database-attach-group",
    actions: ["rds:ModifyDBInstance"],
    resources: ["arn:${partition}:rds:${region}:${account}:db:*"],
    step: "open the path to the database",
    why: "The run's security group is added to the database and taken off again; AWS can't narrow the call to that one setting, so owners who don't want it give a pair of their own.",
    neededWhen,
  },
  {
    ...own,
    id: "database-group-removal",
    actions: ["ec2:DeleteSecurityGroup"],
    resources: [groups],
    conditions: onOwn,
    step: "close the path to the database",
    why: "The run's security groups are removed with it; no other can be.",
    neededWhen,
  },
];
