import type { AwsError } from "./aws-error.ts";
import { writeErrorBody } from "./error-members.ts";
import type { Protocol, Target } from "./protocol.ts";
import type { Reply } from "./reply.ts";
import { payloadOf, readRestInput, type RestBodyFormat } from "./rest-input.ts";
import { writeRestOutput } from "./rest-output.ts";
import { restRouter } from "./rest-routes.ts";
import type { OperationSchema } from "./schema.ts";
import type { ServiceSchemas } from "./service-schemas.ts";
import { xmlDocument, xmlElement } from "./xml-writer.ts";

/** Operations by method and path, members in labels, query string, headers and body: EBS direct (JSON) and S3 (XML). */
export function restProtocol(schemas: ServiceSchemas, format: RestBodyFormat): Protocol {
  const route = restRouter(schemas.operations.values());
  const requestIdHeader = format === "xml" ? "x-amz-request-id" : "x-amzn-requestid";
  const streaming = new Set([...schemas.operations.values()].filter(streamsInput));
  return {
    target(request): Target {
      const match = route(request);
      return { ...match, streamsInput: streaming.has(match.operation) };
    },
    decode(target, request, body) {
      const match = target!;
      const input = readRestInput(match, { ...request, body }, format);
      if (request.bucket) input["Bucket"] = request.bucket;
      return { operation: match.operation, input };
    },
    encode(operation, output, requestId) {
      const namespace = schemas.xmlNamespace;
      const reply = writeRestOutput(operation, output, {
        format,
        ...(namespace === undefined ? {} : { namespace }),
      });
      reply.headers[requestIdHeader] = requestId;
      return reply;
    },
    encodeError: (error, requestId) =>
      format === "xml" ? xmlError(schemas, error, requestId) : jsonError(schemas, error, requestId),
  };
}

function streamsInput(operation: OperationSchema): boolean {
  return payloadOf(operation.input)?.shape.kind === "blob";
}

function xmlError(schemas: ServiceSchemas, error: AwsError, requestId: string): Reply {
  const status = error.status ?? schemas.errors.get(error.code)?.status ?? 400;
  const members = Object.entries(error.members).map(([name, value]) => xmlElement(name, String(value)));
  const content = xmlElement("Code", error.code) + xmlElement("Message", error.message) + members.join("");
  const body = status === 304 ? "" : xmlDocument("Error", content + xmlElement("RequestId", requestId));
  return { status, headers: { "content-type": "application/xml", "x-amz-request-id": requestId }, body };
}

function jsonError(schemas: ServiceSchemas, error: AwsError, requestId: string): Reply {
  const known = schemas.errors.get(error.code);
  const headers = {
    "content-type": "application/json",
    "x-amzn-requestid": requestId,
    "x-amzn-errortype": error.code,
  };
  return {
    status: error.status ?? known?.status ?? 400,
    headers,
    body: JSON.stringify(writeErrorBody(known, error)),
  };
}
