import type { Authorization, Call, ResourceAccess } from "../../../wire/operation-handler.ts";
import {
  ec2Arn,
  imageAccess,
  instanceAccess,
  networkInterfaceAccess,
  securityGroupAccess,
  snapshotAccess,
  subnetAccess,
  volumeAccess,
} from "../shared/resource-access.ts";
import { requestTagContext, tagOnCreate, type Tags } from "../tags/tag-specifications.ts";
import { passRole } from "./instance-profile.ts";
import type { LaunchPlan } from "./launch-plan.ts";

/**
 * Everything that a launch must be allowed, as AWS asks it: RunInstances on each thing used or made, CreateTags on what
 * is tagged, PassRole on the profile's role.
 */
export function authorizeLaunch(call: Call, plan: LaunchPlan): Authorization[] {
  const made = madeByLaunch(call, plan);
  const used = usedByLaunch(call, plan);
  const tagged = (resource: ResourceAccess, tags: Tags): ResourceAccess => ({
    ...resource,
    context: { ...resource.context, ...requestTagContext(tags) },
  });
  return [
    {
      action: "ec2:RunInstances",
      resources: [...used, ...made.map(({ resource, tags }) => tagged(resource, tags))],
    },
    ...made.flatMap((one) => tagOnCreate(call, "RunInstances", one)),
    ...(plan.chosenProfile === undefined ? [] : [passRole(call, plan.chosenProfile)]),
  ];
}

function madeByLaunch(
  call: Call,
  plan: LaunchPlan,
): { readonly resource: ResourceAccess; readonly tags: Tags }[] {
  const { accountId } = call;
  const { subnet, existing } = plan.network;
  const arn = plan.chosenProfile?.profile.arn;
  const instance = instanceAccess(call, {
    ...plan.settings,
    instanceType: plan.type.name,
    zone: subnet.zone,
    tags: {},
    spot: plan.spot,
    ...(arn === undefined ? {} : { profile: { arn, id: "", associationId: "" } }),
  });
  const nic = networkInterfaceAccess(call, existing ?? { ...subnet, accountId, tags: {} });
  return [
    { resource: instance, tags: plan.tags.instance },
    { resource: nic, tags: plan.tags.networkInterface },
    ...plan.volumes.map(({ volume }) => ({ resource: volumeAccess(call, volume), tags: plan.tags.volume })),
    ...(plan.spot
      ? [
          {
            resource: { arn: ec2Arn(call, { accountId, path: "spot-instances-request/*" }), accountId },
            tags: plan.tags.spotRequest,
          },
        ]
      : []),
  ];
}

function usedByLaunch(call: Call, plan: LaunchPlan): ResourceAccess[] {
  const { subnet, groups } = plan.network;
  const { accountId } = call;
  const named = new Set(plan.image.mappings.map((mapping) => mapping.snapshotId));
  // Snapshots of the image come with the image; others are asked for.
  const snapshots = plan.volumes.flatMap(({ volume }) => {
    const source =
      volume.snapshotId === undefined || named.has(volume.snapshotId)
        ? undefined
        : call.lab.ec2.tables.snapshots.get(volume.snapshotId);
    return source === undefined ? [] : [snapshotAccess(call, source)];
  });
  return [
    imageAccess(call, plan.image),
    subnetAccess(call, subnet),
    ...groups.map((group) => securityGroupAccess(call, group)),
    ...snapshots,
    ...(plan.keyPair === undefined
      ? []
      : [
          {
            arn: ec2Arn(call, { accountId, path: `key-pair/${plan.keyPair.keyName}` }),
            accountId,
            tags: plan.keyPair.tags,
            context: { "ec2:Region": call.region, "ec2:KeyPairName": plan.keyPair.keyName },
          },
        ]),
  ];
}
