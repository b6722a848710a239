import { AwsError } from "./aws-error.ts";
import type { DecodeError, DecodeProblem } from "./decode-error.ts";
import type { ProtocolKind } from "./service-schemas.ts";

type CodeTable = Readonly<Record<DecodeProblem, readonly [code: string, status: number]>>;

const ec2Codes: CodeTable = {
  "unknown-parameter": ["UnknownParameter", 400],
  "malformed-value": ["InvalidParameterValue", 400],
  "missing-parameter": ["MissingParameter", 400],
  "malformed-body": ["MalformedQueryString", 400],
  "unknown-operation": ["InvalidAction", 400],
};

const queryCodes: CodeTable = {
  "unknown-parameter": ["ValidationError", 400],
  "malformed-value": ["MalformedInput", 400],
  "missing-parameter": ["ValidationError", 400],
  "malformed-body": ["MalformedQueryString", 400],
  "unknown-operation": ["InvalidAction", 400],
};

const jsonCodes: CodeTable = {
  "unknown-parameter": ["SerializationException", 400],
  "malformed-value": ["SerializationException", 400],
  "missing-parameter": ["ValidationException", 400],
  "malformed-body": ["SerializationException", 400],
  "unknown-operation": ["UnknownOperationException", 404],
};

const xmlCodes: CodeTable = {
  "unknown-parameter": ["InvalidArgument", 400],
  "malformed-value": ["InvalidArgument", 400],
  "missing-parameter": ["InvalidRequest", 400],
  "malformed-body": ["MalformedXML", 400],
  "unknown-operation": ["MethodNotAllowed", 405],
};

const tables: Readonly<Record<ProtocolKind, CodeTable>> = {
  "ec2-query": ec2Codes,
  query: queryCodes,
  json: jsonCodes,
  "rest-json": jsonCodes,
  "rest-xml": xmlCodes,
  "plain-json": jsonCodes,
};

/** What a request that can't be read is answered with, in the words of its protocol. */
export function decodeFailure(error: DecodeError, kind: ProtocolKind): AwsError {
  const [code, status] = tables[kind][error.problem];
  return new AwsError(code, error.message, { status });
}
