/** What the EBS direct APIs ask of whoever works with encrypted snapshots; the page names actions, not which call asks for which. */
export const directApiKeys =
  "https://docs.aws.amazon.com/ebs/latest/userguide/ebsapi-permissions.html#ebsapi-kms-permissions";

/** What AWS gives its Systems Manager agent. */
export const agentPolicy =
  "https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AmazonSSMManagedInstanceCore.html";
