export interface ResponseHead {
  readonly status: number;
  /** Names in lower case; repeated ones joined by a comma. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: BodyLength;
  /** Whether the sender keeps the connection open behind this answer. */
  readonly keepsAlive: boolean;
}

/** How the end of the body is known: by its length, by chunks, or by the end of the connection. */
export type BodyLength = number | "chunked" | "until-close";

/** What came isn't an HTTP answer that can be relied on. The connection is of no more use. */
export class MalformedAnswer extends Error {
  override readonly name = "MalformedAnswer";
}

const mostHeaders = 100;
const statusLine = /^HTTP\/1\.([01]) ([1-5]\d\d)(?: [\t -~\u0080-\u00ff]*)?$/;
const headerLine = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[\t ]*([\t -~\u0080-\u00ff]*?)[\t ]*$/;

/**
 * Reads status line and headers, without the empty line behind them. Strict where leniency lets two readers see two
 * different messages: no folded lines, no bare line ends, no second length, no length beside chunks.
 */
export function parseResponseHead(text: string): ResponseHead {
  const [first = "", ...lines] = text.split("\r\n");
  const hit = statusLine.exec(first);
  if (hit === null) throw new MalformedAnswer("the status line is not HTTP/1.1");
  if (lines.length > mostHeaders) throw new MalformedAnswer("there are too many headers");
  const headers = new Map<string, string>();
  for (const line of lines) addHeader(headers, line);
  const [status, isOld] = [Number(hit[2]), hit[1] === "0"];
  const body = bodyLength(status, headers);
  const connection = headers.get("connection")?.toLowerCase() ?? "";
  return {
    status,
    headers,
    body,
    keepsAlive: !isOld && !connection.includes("close") && body !== "until-close",
  };
}

function addHeader(headers: Map<string, string>, line: string): void {
  const hit = headerLine.exec(line);
  if (hit === null) throw new MalformedAnswer("a header line is malformed");
  const name = hit[1]!.toLowerCase();
  const before = headers.get(name);
  if (before !== undefined && (name === "content-length" || name === "transfer-encoding"))
    throw new MalformedAnswer(`the header ${name} comes twice`);
  headers.set(name, before === undefined ? hit[2]! : `${before}, ${hit[2]!}`);
}

function bodyLength(status: number, headers: ReadonlyMap<string, string>): BodyLength {
  const coding = headers.get("transfer-encoding");
  const length = headers.get("content-length");
  if (coding !== undefined && length !== undefined)
    throw new MalformedAnswer("both a length and a transfer coding are given");
  if (status < 200 || status === 204 || status === 304) return 0;
  if (coding !== undefined) {
    if (coding.toLowerCase() !== "chunked")
      throw new MalformedAnswer(`the transfer coding ${coding} is unknown`);
    return "chunked";
  }
  if (length === undefined) return "until-close";
  if (!/^\d{1,15}$/.test(length)) throw new MalformedAnswer("the content length is not a number");
  return Number(length);
}
