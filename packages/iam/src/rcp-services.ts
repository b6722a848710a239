/** Services whose resources obey resource control policies (AWS Organizations user guide, as of September 2026). */
const rcpServices: ReadonlySet<string> = new Set(
  [
    "aoss appconfig appstream autoscaling autoscaling-plans budgets clouddirectory cloudfront cloudsearch",
    "cloudtrail-data codeartifact codebuild codecommit codepipeline cognito-identity cognito-idp comprehend",
    "comprehendmedical compute-optimizer cost-optimization-hub dax dsql dynamodb ecr ecr-public events firehose fis fms",
    "gamelift health inspector-scan kendra kinesisvideo kms logs memorydb networkmonitor notifications opensearch",
    "pca-connector-ad personalize polly pricing resource-groups rolesanywhere s3 secretsmanager servicediscovery signin",
    "sqs sts support swf textract timestream-influxdb transcribe transfer translate wafv2 workspaces xray",
  ].flatMap((line) => line.split(" ")),
);

/** Whether RCPs have a say: AWS does not evaluate them for other services, nor for retiring a grant on a key. */
export function isRcpAction(action: string, service: string): boolean {
  return rcpServices.has(service) && action !== "kms:retiregrant";
}
