import type { LabService } from "../../wire/operation-handler.ts";
import { agentOperations, agentSchemas } from "./agent-operations.ts";
import { describeDocument, getDocument, listDocuments } from "./command-documents.ts";
import { getCommandInvocation, listCommandInvocations, listCommands } from "./command-results.ts";
import { describeInstanceInformation, updateInstanceInformation } from "./managed-instances.ts";
import {
  deleteParameter,
  deleteParameters,
  describeParameters,
  getParameter,
  getParameters,
  getParametersByPath,
  putParameter,
} from "./parameters.ts";
import { cancelCommand, sendCommand } from "./send-command.ts";

export const ssmService: LabService = {
  signingName: "ssm",
  deniedCode: "AccessDeniedException",
  load: loadClient,
  operations: {
    GetParameter: getParameter,
    GetParameters: getParameters,
    GetParametersByPath: getParametersByPath,
    DescribeParameters: describeParameters,
    PutParameter: putParameter,
    DeleteParameter: deleteParameter,
    DeleteParameters: deleteParameters,
    DescribeInstanceInformation: describeInstanceInformation,
    UpdateInstanceInformation: updateInstanceInformation,
    SendCommand: sendCommand,
    CancelCommand: cancelCommand,
    GetCommandInvocation: getCommandInvocation,
    ListCommands: listCommands,
    ListCommandInvocations: listCommandInvocations,
    DescribeDocument: describeDocument,
    GetDocument: getDocument,
    ListDocuments: listDocuments,
    ...agentOperations,
  },
};

async function loadClient() {
  const module = await import("@aws-sdk/client-ssm");
  const client = new module.SSMClient({
    region: "us-east-1",
    endpoint: "http://localhost",
    credentials: { accessKeyId: "none", secretAccessKey: "none" },
  });
  return { module: { ...module, ...agentSchemas }, client };
}
