import type { ProvenAction } from "./proof-record.ts";

/** A right that covers more than it should, as the proof found, and is kept all the same: the reason is shown beside it. */
export interface AcceptedWidth {
  readonly grant: string;
  readonly action: string;
  readonly reason: string;
}

export const acceptedWidths: readonly AcceptedWidth[] = [
  {
    grant: "worker-instance",
    action: "ec2:RunInstances",
    reason:
      "a role that also restores may launch without it, since a restored instance keeps the metadata options that it had",
  },
];

export function acceptedWidth({
  action,
  grant,
}: Pick<ProvenAction, "grant" | "action">): AcceptedWidth | undefined {
  return acceptedWidths.find((one) => one.grant === grant && one.action === action);
}
