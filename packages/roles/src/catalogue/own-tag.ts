import type { ConditionTemplate } from "../grant.ts";

/** The tag that ties a resource to the installation that made it. */
const tag = "garrison:installation";

/** Only on what this installation made. */
export const onOwn: ConditionTemplate = { StringLike: { [`aws:ResourceTag/${tag}`]: "${installation}" } };

/** Only what is made with this installation's tag. */
export const asOwn: ConditionTemplate = { StringLike: { [`aws:RequestTag/${tag}`]: "${installation}" } };

/**
 * Only tags of Garrison's can be taken off, and they have to be named: a call without names takes them all off, and
 * `ForAllValues` alone holds for none.
 */
export const ownTagKeys: ConditionTemplate = {
  Null: { "aws:TagKeys": "false" },
  "ForAllValues:StringLike": { "aws:TagKeys": "garrison:*" },
};

/** Tags only in the call that makes the resource: nobody can claim a foreign one afterwards. */
export function whileMaking(action: string): ConditionTemplate {
  return { StringEquals: { "ec2:CreateAction": action } };
}
