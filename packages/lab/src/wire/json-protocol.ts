import type { AwsError } from "./aws-error.ts";
import { DecodeError } from "./decode-error.ts";
import { writeErrorBody } from "./error-members.ts";
import { parseJsonBody, readJsonStructure, writeJsonStructure } from "./json-codec.ts";
import type { Protocol, Target } from "./protocol.ts";
import type { Reply } from "./reply.ts";
import type { ServiceSchemas } from "./service-schemas.ts";

/** JSON bodies, the operation in `X-Amz-Target`: SSM, SQS, KMS, Organizations. */
export function jsonProtocol(schemas: ServiceSchemas): Protocol {
  const contentType = `application/x-amz-json-${schemas.jsonVersion}`;
  return {
    target(request): Target {
      const name =
        String(request.headers["x-amz-target"] ?? "")
          .split(".")
          .at(-1) ?? "";
      const operation = schemas.operations.get(name);
      if (operation === undefined)
        throw new DecodeError("unknown-operation", name, `Unknown operation ${name}`);
      return { operation, labels: {}, streamsInput: false };
    },
    decode(target, _request, body) {
      const { operation } = target!;
      if (!(body instanceof Uint8Array))
        throw new DecodeError("malformed-body", "", "the request is too large");
      const parsed = parseJsonBody(body);
      return {
        operation,
        input: operation.input === undefined ? {} : readJsonStructure(operation.input, parsed),
      };
    },
    encode(operation, output, requestId): Reply {
      const tree = operation.output === undefined ? {} : writeJsonStructure(operation.output, output);
      return {
        status: 200,
        headers: { "content-type": contentType, "x-amzn-requestid": requestId },
        body: JSON.stringify(tree),
      };
    },
    encodeError: (error, requestId) => jsonError(schemas, error, { contentType, requestId }),
  };
}

interface ErrorContext {
  readonly contentType: string;
  readonly requestId: string;
}

function jsonError(
  schemas: ServiceSchemas,
  error: AwsError,
  { contentType, requestId }: ErrorContext,
): Reply {
  const known = schemas.errors.get(error.code);
  const status = error.status ?? known?.status ?? 400;
  const headers: Record<string, string> = {
    "content-type": contentType,
    "x-amzn-requestid": requestId,
    "x-amzn-errortype": error.code,
  };
  if (schemas.queryCompatible) {
    headers["x-amzn-query-error"] =
      `${known?.queryCode ?? error.code};${status < 500 ? "Sender" : "Receiver"}`;
  }
  const namespace = known === undefined ? "com.amazon.coral.service" : schemas.namespace;
  const body = { __type: `${namespace}#${error.code}`, ...writeErrorBody(known, error) };
  return { status, headers, body: JSON.stringify(body) };
}
