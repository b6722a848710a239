import type { AwsError } from "./aws-error.ts";
import { DecodeError } from "./decode-error.ts";
import { writeErrorMembers } from "./error-members.ts";
import type { Protocol } from "./protocol.ts";
import { readQueryInput, type QueryDialect } from "./query-reader.ts";
import type { Reply } from "./reply.ts";
import type { OperationSchema } from "./schema.ts";
import type { ServiceSchemas } from "./service-schemas.ts";
import { writeXmlMembers, xmlDocument, xmlElement } from "./xml-writer.ts";

const xmlType = "text/xml;charset=UTF-8";

/** Form-encoded requests, XML answers: IAM, STS, EC2, and SQS as older clients speak it. */
export function queryProtocol(
  schemas: ServiceSchemas,
  dialect: QueryDialect,
  namespace: string | undefined,
): Protocol {
  return {
    target: () => undefined,
    decode(_target, request, body) {
      if (!(body instanceof Uint8Array))
        throw new DecodeError("malformed-body", "", "the request is too large");
      // Old clients send the parameters of a GET in its query string.
      const form =
        request.method === "GET" ? request.query : new URLSearchParams(Buffer.from(body).toString("utf8"));
      const operation = findOperation(schemas, form.get("Action") ?? "");
      return { operation, input: readQueryInput(operation.input, form, dialect) };
    },
    encode: (operation, output, requestId) =>
      dialect === "ec2"
        ? encodeEc2(operation, output, { requestId, namespace })
        : encodeQuery(operation, output, { requestId, namespace }),
    encodeError: (error, requestId) =>
      dialect === "ec2" ? ec2Error(error, requestId) : queryError(error, { requestId, namespace, schemas }),
  };
}

interface ReplyContext {
  readonly requestId: string;
  readonly namespace: string | undefined;
}

function findOperation(schemas: ServiceSchemas, name: string): OperationSchema {
  const operation = schemas.operations.get(name);
  if (operation === undefined)
    throw new DecodeError("unknown-operation", name, `The action ${name} is not valid for this web service.`);
  return operation;
}

function encodeEc2(
  operation: OperationSchema,
  output: Readonly<Record<string, unknown>>,
  context: ReplyContext,
): Reply {
  const members =
    operation.output === undefined ? xmlElement("return", "true") : writeXmlMembers(operation.output, output);
  const content = xmlElement("requestId", context.requestId) + members;
  return xmlReply(
    200,
    xmlDocument(`${operation.name}Response`, content, context.namespace),
    context.requestId,
  );
}

function encodeQuery(
  operation: OperationSchema,
  output: Readonly<Record<string, unknown>>,
  context: ReplyContext,
): Reply {
  const { name } = operation;
  const result =
    operation.output === undefined
      ? ""
      : `<${name}Result>${writeXmlMembers(operation.output, output)}</${name}Result>`;
  const metadata = `<ResponseMetadata>${xmlElement("RequestId", context.requestId)}</ResponseMetadata>`;
  return xmlReply(
    200,
    xmlDocument(`${name}Response`, result + metadata, context.namespace),
    context.requestId,
  );
}

function ec2Error(error: AwsError, requestId: string): Reply {
  const content = `<Errors><Error>${xmlElement("Code", error.code)}${xmlElement("Message", error.message)}</Error></Errors>`;
  // EC2's error document has no namespace; strict parsers mind.
  return xmlReply(
    error.status ?? 400,
    xmlDocument("Response", content + xmlElement("RequestID", requestId)),
    requestId,
  );
}

function queryError(error: AwsError, context: ReplyContext & { readonly schemas: ServiceSchemas }): Reply {
  const known =
    context.schemas.errors.get(error.code) ?? context.schemas.errors.get(`${error.code}Exception`);
  const status = error.status ?? known?.status ?? 400;
  const code = known?.queryCode ?? error.code;
  const type = status < 500 ? "Sender" : "Receiver";
  const members = known === undefined ? "" : writeErrorMembers(known, error);
  const content =
    xmlElement("Type", type) + xmlElement("Code", code) + xmlElement("Message", error.message) + members;
  const document = `<Error>${content}</Error>${xmlElement("RequestId", context.requestId)}`;
  return xmlReply(status, xmlDocument("ErrorResponse", document, context.namespace), context.requestId);
}

function xmlReply(status: number, body: string, requestId: string): Reply {
  return { status, headers: { "content-type": xmlType, "x-amzn-requestid": requestId }, body };
}
