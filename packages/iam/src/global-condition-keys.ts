export type ConditionKeyType =
  | "String"
  | "ARN"
  | "Bool"
  | "Numeric"
  | "Date"
  | "IPAddress"
  | "ArrayOfString"
  | "ArrayOfARN"
  | "ArrayOfBool";

export interface GlobalConditionKey {
  readonly name: string;
  readonly type: ConditionKeyType;
  /** When AWS sends it. A condition on a key that is not sent behaves as the operator says for absent keys. */
  readonly present: string;
  /** Whether only some actions carry it: the service reference lists them. */
  readonly byAction?: true;
}

function define(type: ConditionKeyType, names: string, present: string): readonly GlobalConditionKey[] {
  return names.split(" ").map((name) => ({ name, type, present }));
}

const always = "always";
const ofAccounts = "if the caller belongs to an account (no service, no anonymous caller)";
const inOrganization = "if the caller's account is in an organisation";
const byRoleSession = "in role sessions";
const byInstance = "in sessions of a role that EC2 delivered to an instance";
const byEndpoint = "if the call comes through a VPC endpoint";
const byService = "if an AWS service calls for somebody";
const directByService = "if an AWS service calls in its own name";
const tagging = "as the service reference lists it for the action";

/** Every condition key that is not one service's own, with when it is there. */
export const globalConditionKeys: readonly GlobalConditionKey[] = [
  ...define("ARN", "aws:PrincipalArn", ofAccounts),
  ...define("String", "aws:PrincipalAccount", ofAccounts),
  ...define("String", "aws:PrincipalType", always),
  ...define("String", "aws:userid", always),
  ...define("String", "aws:username", "if the caller is an IAM user"),
  ...define("Bool", "aws:PrincipalIsAWSService", "in every signed call"),
  ...define("String", "aws:PrincipalServiceName", directByService),
  ...define("ArrayOfString", "aws:PrincipalServiceNamesList", directByService),
  ...define("String", "aws:PrincipalOrgID", inOrganization),
  ...define("ArrayOfString", "aws:PrincipalOrgPaths", inOrganization),
  ...define("String", "aws:PrincipalTag/${TagKey}", "if the user, role or session has the tag"),
  ...define("Bool", "aws:AssumedRoot", "in sessions of sts:AssumeRoot"),
  ...define("Date", "aws:TokenIssueTime", "if the credentials are temporary"),
  ...define("Bool", "aws:MultiFactorAuthPresent", "if the credentials are temporary"),
  ...define("Numeric", "aws:MultiFactorAuthAge", "if MFA was used for the credentials"),
  ...define("String", "aws:FederatedProvider", "if an identity provider vouched for the session"),
  ...define("String", "aws:SourceIdentity", `${byRoleSession} that were given one`),
  ...define("ARN", "aws:ChatbotSourceArn", "in sessions of a chat configuration"),
  ...define("String", "aws:Ec2InstanceSourceVpc", byInstance),
  ...define("IPAddress", "aws:Ec2InstanceSourcePrivateIPv4", byInstance),
  ...define("ARN", "ec2:SourceInstanceArn", byInstance),
  ...define("Numeric", "ec2:RoleDelivery", byInstance),
  ...define("ARN", "ssm:SourceInstanceArn", "if the Systems Manager agent calls for a managed node"),
  ...define("ARN", "lambda:SourceFunctionArn", "in sessions of a function's role"),
  ...define("String", "glue:RoleAssumedBy glue:CredentialIssuingService", "in sessions of a Glue job"),
  ...define("String", "identitystore:UserId", "in sessions of IAM Identity Center"),
  ...define("IPAddress", "aws:SourceIp", "unless the call comes through a VPC endpoint or from a service"),
  ...define("String", "aws:SourceVpc aws:SourceVpcArn aws:SourceVpce", byEndpoint),
  ...define("String", "aws:VpceAccount aws:VpceOrgID", byEndpoint),
  ...define("ArrayOfString", "aws:VpceOrgPaths", byEndpoint),
  ...define("IPAddress", "aws:VpcSourceIp", byEndpoint),
  ...define("Bool", "aws:ViaAWSService", "in every signed call"),
  ...define("ArrayOfString", "aws:CalledVia", byService),
  ...define("String", "aws:CalledViaFirst aws:CalledViaLast", byService),
  ...define("Bool", "aws:ViaAWSMCPService aws:IsMcpServiceAction", "if an AWS MCP server calls"),
  ...define("String", "aws:CalledViaAWSMCP", "if an AWS MCP server calls"),
  ...define("ARN", "aws:SourceArn", directByService),
  ...define("String", "aws:SourceAccount aws:SourceOrgID", directByService),
  ...define("ArrayOfString", "aws:SourceOrgPaths", directByService),
  ...define("String", "aws:SourceOwner", "in some calls of SNS and SES in place of aws:SourceAccount"),
  ...define(
    "String",
    "aws:ResourceAccount",
    "nearly always: some services leave it out for resources of their own",
  ),
  ...define("String", "aws:ResourceOrgID", "if the resource's account is in an organisation"),
  ...define("ArrayOfString", "aws:ResourceOrgPaths", "if the resource's account is in an organisation"),
  ...define("Date", "aws:CurrentTime aws:EpochTime", always),
  ...define("String", "aws:RequestedRegion", always),
  ...define("Bool", "aws:SecureTransport", always),
  ...define("String", "aws:UserAgent", "if the client tells it: anybody may claim anything"),
  ...define("String", "aws:referer", "if a browser tells it: anybody may claim anything"),
  ...byAction(define("String", "aws:ResourceTag/${TagKey} aws:RequestTag/${TagKey}", tagging)),
  ...byAction(define("ArrayOfString", "aws:TagKeys", tagging)),
];

function byAction(keys: readonly GlobalConditionKey[]): readonly GlobalConditionKey[] {
  return keys.map((key) => ({ ...key, byAction: true }));
}
