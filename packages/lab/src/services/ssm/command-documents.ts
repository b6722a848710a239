import { createHash } from "node:crypto";
import type {
  DescribeDocumentCommandInput,
  GetDocumentCommandInput,
  ListDocumentsCommandInput,
} from "@aws-sdk/client-ssm";
import { AwsError } from "../../wire/aws-error.ts";
import type { Call, ResourceAccess } from "../../wire/operation-handler.ts";

/** The one document the lab's machines can run, in the public schema 2.2. */
export const shellScriptDocument = {
  schemaVersion: "2.2",
  description: "Run a shell script or specify the commands to run.",
  parameters: {
    commands: {
      type: "StringList",
      description: "Specify a shell script or a command to run.",
      minItems: 1,
      displayType: "textarea",
    },
    workingDirectory: {
      type: "String",
      default: "",
      description: "The path to the working directory on your instance.",
      maxChars: 4096,
    },
    executionTimeout: {
      type: "String",
      default: "3600",
      description: "The time in seconds for a command to complete before it is considered to have failed.",
      allowedPattern: "([1-9][0-9]{0,4})|(1[0-6][0-9]{4})|(17[0-1][0-9]{3})|(172[0-7][0-9]{2})|(172800)",
    },
  },
  mainSteps: [
    {
      action: "aws:runShellScript",
      name: "aws:runShellScript",
      inputs: {
        timeoutSeconds: "{{ executionTimeout }}",
        runCommand: "{{ commands }}",
        workingDirectory: "{{ workingDirectory }}",
      },
    },
  ],
};

const documentName = "AWS-RunShellScript";

/** The resource of a document; those of Amazon have no account in their ARN. */
export function documentAccess(name: string, call: Call): ResourceAccess {
  if (name.startsWith("arn:")) return { arn: name, accountId: name.split(":")[4] || call.accountId };
  const account = name.startsWith("AWS-") || name.startsWith("AmazonCloudWatch-") ? "" : call.accountId;
  return {
    arn: `arn:${call.partition}:ssm:${call.region}:${account}:document/${name}`,
    accountId: call.accountId,
  };
}

/** The document's plain name, or InvalidDocument where there is no such document. */
export function checkDocument(name: string): string {
  if (name.split("/").at(-1) === documentName) return documentName;
  throw new AwsError("InvalidDocument", `Document with name ${name} does not exist.`);
}

export function describeDocument(input: DescribeDocumentCommandInput, call: Call) {
  call.authorize({ action: "ssm:DescribeDocument", resources: [documentAccess(input.Name ?? "", call)] });
  const content = JSON.stringify(shellScriptDocument);
  const parameters = Object.entries(shellScriptDocument.parameters);
  return {
    Document: {
      Name: checkDocument(input.Name ?? ""),
      Hash: createHash("sha256").update(content).digest("hex"),
      HashType: "Sha256",
      Owner: "Amazon",
      CreatedDate: new Date(Date.UTC(2017, 7, 21)),
      Status: "Active",
      DocumentVersion: "1",
      DefaultVersion: "1",
      LatestVersion: "1",
      Description: shellScriptDocument.description,
      PlatformTypes: ["Linux", "MacOS"],
      DocumentType: "Command",
      SchemaVersion: shellScriptDocument.schemaVersion,
      DocumentFormat: "JSON",
      Parameters: parameters.map(([Name, { type, description, ...rest }]) => ({
        Name,
        Type: type,
        Description: description,
        ...("default" in rest ? { DefaultValue: rest.default } : {}),
      })),
    },
  };
}

export function getDocument(input: GetDocumentCommandInput, call: Call) {
  call.authorize({ action: "ssm:GetDocument", resources: [documentAccess(input.Name ?? "", call)] });
  return {
    Name: checkDocument(input.Name ?? ""),
    DocumentVersion: "1",
    Status: "Active",
    Content: JSON.stringify(shellScriptDocument),
    DocumentType: "Command",
    DocumentFormat: "JSON",
  };
}

export function listDocuments(_input: ListDocumentsCommandInput, call: Call) {
  call.authorize({ action: "ssm:ListDocuments", resources: [{ arn: "*", accountId: call.accountId }] });
  return {
    DocumentIdentifiers: [
      {
        Name: documentName,
        Owner: "Amazon",
        PlatformTypes: ["Linux", "MacOS"],
        DocumentVersion: "1",
        DocumentType: "Command",
        SchemaVersion: shellScriptDocument.schemaVersion,
        DocumentFormat: "JSON",
      },
    ],
  };
}
