import { jsonProtocol } from "./json-protocol.ts";
import { plainJsonProtocol } from "./plain-json-protocol.ts";
import type { Protocol } from "./protocol.ts";
import { queryProtocol } from "./query-protocol.ts";
import { restProtocol } from "./rest-protocol.ts";
import type { ServiceSchemas } from "./service-schemas.ts";

/** Picks the protocol of a request to one service, by what it carries where the service speaks two. */
export type ProtocolChooser = (contentType: string | undefined) => Protocol;

/** The protocols of a service. SQS takes JSON and, from older clients, the form-encoded protocol it had before. */
export function openProtocols(schemas: ServiceSchemas): ProtocolChooser {
  const main = mainProtocol(schemas);
  if (!schemas.queryCompatible) return () => main;
  const older = queryProtocol(schemas, "query", "http://queue.amazonaws.com/doc/2012-11-05/");
  return (contentType) => (contentType?.startsWith("application/x-www-form-urlencoded") ? older : main);
}

function mainProtocol(schemas: ServiceSchemas): Protocol {
  switch (schemas.kind) {
    case "ec2-query":
      return queryProtocol(schemas, "ec2", `${schemas.xmlNamespace ?? ""}/`);
    case "query":
      return queryProtocol(schemas, "query", schemas.xmlNamespace);
    case "json":
      return jsonProtocol(schemas);
    case "rest-json":
      return restProtocol(schemas, "json");
    case "rest-xml":
      return restProtocol(schemas, "xml");
    case "plain-json":
      return plainJsonProtocol(schemas);
  }
}
