const account = "111111111111";
const key = `arn:aws:kms:eu-central-1:${account}:key/k`;

/** Policies that between them use every element and every family of operators. */
export const policySamples: readonly object[] = [
  {
    Version: "2012-10-17",
    Id: "sample",
    Statement: [
      {
        Sid: "Send",
        Effect: "Allow",
        Action: ["sqs:SendMessage", "sqs:Get*"],
        Resource: `arn:aws:sqs:*:${account}:\${aws:PrincipalTag/team, 'none'}-*`,
        Condition: {
          StringEquals: { "aws:PrincipalOrgID": ["o-1", "o-2"] },
          IpAddressIfExists: { "aws:SourceIp": ["10.0.0.0/8", "2001:db8::/32"] },
          "ForAllValues:StringLike": { "aws:TagKeys": "garrison:*" },
          Null: { "aws:TokenIssueTime": "false" },
        },
      },
      { Effect: "Deny", NotAction: "s3:Get?bject", NotResource: ["arn:aws:s3:::b/*"] },
      {
        Effect: "Deny",
        Action: "*",
        Resource: "*",
        Condition: {
          Bool: { "aws:SecureTransport": false },
          NumericGreaterThan: { "aws:MultiFactorAuthAge": 3600 },
          DateLessThan: { "aws:CurrentTime": "2026-01-01T00:00:00Z" },
          ArnNotLike: { "aws:PrincipalArn": "arn:aws:iam::*:role/*/admin" },
          BinaryEquals: { "k:a": "QmluYXJ5" },
        },
      },
    ],
  },
  {
    Version: "2012-10-17",
    Statement: {
      Effect: "Allow",
      Principal: { AWS: [account, "*"], Service: "ec2.amazonaws.com", Federated: "accounts.google.com" },
      Action: "sts:AssumeRole",
      Condition: {
        StringEquals: { "sts:ExternalId": "x" },
        "ForAnyValue:StringEquals": { "k:a": ["x", "y"] },
      },
    },
  },
  {
    Statement: [
      {
        Effect: "Allow",
        NotPrincipal: { AWS: `arn:aws:iam::${account}:user/ann` },
        Action: "kms:*",
        Resource: "*",
      },
    ],
  },
];

const [identity, trust, keyPolicy] = policySamples as [object, object, object];
const level = {
  orgIdentifier: "r-1",
  policies: [{ name: "Full", policy: { Statement: [{ Effect: "Allow", Action: "*", Resource: "*" }] } }],
};

/** Cases that between them use every layer. */
export const caseSamples: readonly object[] = [
  {
    name: "everything",
    request: {
      action: "kms:Decrypt",
      resource: { resource: key, accountId: account },
      principal: `arn:aws:sts::${account}:assumed-role/app/s`,
      context: { "aws:SourceIp": "10.1.2.3", "aws:TagKeys": ["a", "b"], "kms:EncryptionContext:a": "1" },
    },
    identityPolicies: [{ name: "P", policy: identity }],
    permissionBoundaries: [{ policy: identity }],
    sessionPolicy: identity,
    resourcePolicy: keyPolicy,
    serviceControlPolicies: [level],
    resourceControlPolicies: [level],
    vpcEndpointPolicies: [{ name: "E", policy: trust }],
    kmsGrants: [
      {
        grantId: "G",
        granteePrincipal: `arn:aws:iam::${account}:role/app`,
        operations: ["Decrypt", "CreateGrant"],
        encryptionContextSubset: { a: "1" },
      },
    ],
    managementAccountId: "999999999999",
    unknownContext: ["aws:SourceVpce", "k:a"],
  },
  {
    request: {
      action: "s3:GetObject",
      resource: { resource: "arn:aws:s3:::b/k", accountId: account },
      principal: { type: "Anonymous" },
    },
    resourcePolicy: trust,
    bucket: {
      publicAccessBlock: { restrictPublicBuckets: true, ignorePublicAcls: false },
      objectOwnership: "ObjectWriter",
      acl: [{ grantee: "AllUsers", permission: "READ" }],
      objectAcl: [{ grantee: account, permission: "FULL_CONTROL" }],
    },
  },
  {
    request: {
      action: "sts:AssumeRole",
      resource: { resource: `arn:aws:iam::${account}:role/w`, accountId: account },
      principal: `arn:aws:iam::${account}:user/ann`,
      context: { "sts:ExternalId": "x" },
    },
    identityPolicies: [{ name: "P", policy: identity }],
    resourcePolicy: trust,
  },
];
