import { DecodeError } from "./decode-error.ts";
import { parseJsonBody } from "./json-codec.ts";
import type { Protocol } from "./protocol.ts";
import { restRouter } from "./rest-routes.ts";
import type { ServiceSchemas } from "./service-schemas.ts";
import { xmlDocument, xmlElement } from "./xml-writer.ts";

/** The Systems Manager agent's endpoints, which no SDK describes: JSON in and mostly out, nothing checked against a model. */
export function plainJsonProtocol(schemas: ServiceSchemas): Protocol {
  const route = restRouter(schemas.operations.values());
  return {
    target(request) {
      const name =
        String(request.headers["x-amz-target"] ?? "")
          .split(".")
          .at(-1) ?? "";
      const operation = schemas.operations.get(name);
      if (operation !== undefined) return { operation, labels: {}, streamsInput: false };
      return { ...route(request), streamsInput: false };
    },
    decode(target, _request, body) {
      if (!(body instanceof Uint8Array))
        throw new DecodeError("malformed-body", "", "the request is too large");
      return { operation: target!.operation, input: { ...parseJsonBody(body), ...target!.labels } };
    },
    encode: (operation, output, requestId) => ({
      status: 200,
      headers: {
        "content-type": operation.http ? "application/xml" : "application/x-amz-json-1.1",
        "x-amzn-requestid": requestId,
      },
      // The message gateway takes JSON and answers in XML.
      body: operation.http ? xmlAnswer(operation.name, output) : JSON.stringify(output),
    }),
    encodeError: (error, requestId) => ({
      status: error.status ?? 400,
      headers: {
        "content-type": "application/x-amz-json-1.1",
        "x-amzn-requestid": requestId,
        "x-amzn-errortype": error.code,
      },
      body: JSON.stringify({ __type: error.code, message: error.message }),
    }),
  };
}

function xmlAnswer(operation: string, output: Readonly<Record<string, unknown>>): string {
  const members = Object.entries(output).map(([name, value]) => xmlElement(name, String(value)));
  return xmlDocument(`${operation}Response`, members.join(""));
}
