import { defaultLimits } from "../../check-limits.ts";
import { policySize } from "../../policy-statement.ts";
import { addToTrust, changeTrust, policyOf, withoutAction, type Breakage } from "./breakage.ts";
import { launchingArn, production, repositoryArn, workerArn, type WorkingStage } from "./working-stage.ts";

/** Link 7: what is missing has no room, or what will be lent is too long. */
export const brokenLimits: readonly Breakage[] = [
  {
    name: "the worker role's trust is full, and EC2 is missing in it",
    break: ({ role }) => {
      changeTrust(role("worker"), (one) => (one.Sid === "GarrisonInstances" ? undefined : one));
      addToTrust(role("worker"), {
        Sid: "Others",
        Effect: "Allow",
        Principal: {
          AWS: Array.from({ length: 48 }, (_, place) => `arn:aws:iam::3333333333${place + 10}:root`),
        },
        Action: "sts:TagSession",
      });
    },
    links: ["ec2-trust", "limits"],
    subject: workerArn,
    sentence: "lets ec2.amazonaws.com assume it",
    mendedBy: "nobody",
  },
  {
    name: "the worker role's inline policies are full, ten more are attached, and a right is missing",
    break: ({ role }) => {
      withoutAction(role("worker"), "sqs:SendMessage");
      fill(role("worker"), { inlineCharacters: 10_200, attached: 10 });
    },
    links: ["grants", "limits"],
    subject: workerArn,
    action: "sqs:SendMessage",
    sentence: "sqs:SendMessage",
    mendedBy: "nobody",
  },
  {
    name: "an attached policy of the launching role is longer than AWS takes",
    break: ({ role }) =>
      void role("backup-ec2").identityPolicies.push({
        name: `arn:aws:iam::${production}:policy/long`,
        policy: longPolicy(6_200),
      }),
    links: ["limits"],
    subject: launchingArn,
    sentence: "it can't be written again as it is; split it",
    mendedBy: "nobody",
  },
  {
    name: "the launching role does not exist, and the account has no room for a role",
    break: ({ world }) => {
      world.roles.delete(launchingArn);
      world.limits.set(production, { ...defaultLimits, roles: { used: 1000, most: 1000 } });
    },
    links: ["assume-role", "limits"],
    subject: launchingArn,
    action: "sts:AssumeRole",
    sentence: "the role may not exist",
    mendedBy: "nobody",
  },
  {
    name: "the worker role has no instance profile, and the account no room for one",
    break: ({ role, world }) => {
      role("worker").profiles = [];
      const instanceProfiles = { used: 1000, most: 1000 };
      world.limits.set(production, { ...defaultLimits, instanceProfiles });
    },
    links: ["instance-profile", "limits"],
    subject: workerArn,
    sentence: "is in no instance profile",
    mendedBy: "nobody",
  },
  {
    name: "the session policy to write the repository is too long for STS",
    break: () => ({
      sessionPolicies: [{ roleId: "repository", title: "write the repository", characters: 2_301 }],
    }),
    links: ["limits"],
    subject: repositoryArn,
    sentence:
      "The session policy to write the repository has 2301 characters, and STS takes 2048: a shorter bucket name or prefix makes it fit.",
    mendedBy: "nobody",
  },
];

type Role = ReturnType<WorkingStage["role"]>;

function fill(role: Role, wanted: { readonly inlineCharacters: number; readonly attached: number }): void {
  const used = role.identityPolicies.reduce((sum, { policy }) => sum + policySize(policy), 0);
  const frame = policySize(longPolicy(0));
  const policy = longPolicy(wanted.inlineCharacters - used - frame);
  role.identityPolicies.push({ name: "applications", policy });
  for (let place = 0; place < wanted.attached; place++) {
    role.identityPolicies.push({
      name: `arn:aws:iam::${production}:policy/application-${place}`,
      policy: policyOf({ Effect: "Allow", Action: "dynamodb:GetItem", Resource: "*" }),
    });
  }
}

function longPolicy(characters: number): object {
  const Resource = `arn:aws:dynamodb:*:*:table/${"x".repeat(characters)}`;
  return policyOf({ Effect: "Allow", Action: "dynamodb:GetItem", Resource });
}
