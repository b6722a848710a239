import type { HttpAnswer } from "./response-reader.ts";

interface ErrorDocument {
  readonly __type?: unknown;
  readonly code?: unknown;
  readonly message?: unknown;
  readonly Message?: unknown;
  readonly Reason?: unknown;
}

const longestText = 1000;

/** A refusal in the shape in which the SDK throws it, so that both are translated by the same table. */
export function readBlockError(answer: HttpAnswer): Error {
  const document = parseDocument(answer.body);
  const { status, headers } = answer;
  const code = errorCode(headers.get("x-amzn-errortype") ?? textOf(document?.__type ?? document?.code));
  const message = textOf(document?.message ?? document?.Message) ?? `the answer has the status ${status}`;
  return Object.assign(new Error(message), {
    name: code ?? "Error",
    Reason: textOf(document?.Reason),
    $metadata: { httpStatusCode: status, requestId: requestIdOf(answer) },
  });
}

export function requestIdOf({ headers }: HttpAnswer): string | undefined {
  return headers.get("x-amzn-requestid") ?? headers.get("x-amz-request-id");
}

/** `com.amazonaws.ebs#ThrottlingException:http://…` is a ThrottlingException. */
function errorCode(text: string | undefined): string | undefined {
  const bare = text?.split(/[,:]/)[0]!.split("#").at(-1)!.trim();
  return bare === "" ? undefined : bare;
}

/** Something between us and AWS may answer in another language than JSON. */
function parseDocument(body: Uint8Array): ErrorDocument | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString());
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value.slice(0, longestText) : undefined;
}
