import { describe, expect, test } from "vitest";
import { randomBelow, seededRandom, type Random } from "@garrison/core/random";
import { ResponseReader, type HttpAnswer } from "./response-reader.ts";

const limits = { mostBodyBytes: 4096 };

/** Lets the reader read `message` in pieces of the given sizes; the last piece is what is left. */
function read(message: Buffer, pieces: readonly number[], reader = new ResponseReader(limits)): HttpAnswer[] {
  const answers: HttpAnswer[] = [];
  let [position, piece] = [0, 0];
  while (position < message.length) {
    const wanted = pieces[piece++] ?? message.length;
    const end = Math.min(message.length, position + wanted);
    while (position < end) {
      const space = reader.space();
      const length = message.copy(space, 0, position, end);
      position += length;
      const answer = reader.advance(length);
      if (answer !== undefined) answers.push(answer);
    }
  }
  return answers;
}

function message(...lines: readonly string[]): Buffer {
  return Buffer.from(lines.join("\r\n"), "latin1");
}

const sized = message("HTTP/1.1 200 OK", "Content-Length: 5", "X-Amz-Checksum: abc=", "", "hello");
const chunked = message(
  "HTTP/1.1 400 Bad Request",
  "Transfer-Encoding: chunked",
  "",
  "3;note=x",
  "hel",
  "2",
  "lo",
  "0",
  "x-trailer: 1",
  "",
  "",
);
const text = (answer: HttpAnswer | undefined) => Buffer.from(answer?.body ?? []).toString();

describe("an answer", () => {
  test("is read with its status, headers and body", () => {
    const [answer] = read(sized, []);
    expect(answer).toMatchObject({ status: 200, isConnectionUsable: true });
    expect(answer!.headers.get("x-amz-checksum")).toBe("abc=");
    expect(text(answer)).toBe("hello");
  });

  test.each([
    ["of known length", sized],
    ["in chunks", chunked],
  ])("%s is the same however it is cut", (_, bytes) => {
    for (let first = 1; first < bytes.length; first++) {
      for (const pieces of [[first], Array.from({ length: bytes.length }, () => first)]) {
        const answers = read(bytes, pieces);
        expect(answers.map(text)).toEqual(["hello"]);
        expect(answers[0]!.isConnectionUsable).toBe(true);
      }
    }
  });

  test("is put where it is expected, if it has just that size", () => {
    const reader = new ResponseReader(limits);
    const into = new Uint8Array(5);
    reader.expect(into);
    const [answer] = read(sized, [], reader);
    expect(answer!.body.buffer).toBe(into.buffer);
    expect(Buffer.from(into).toString()).toBe("hello");
  });

  test("of another size leaves the expected place alone", () => {
    const reader = new ResponseReader(limits);
    const into = new Uint8Array(6);
    reader.expect(into);
    expect(text(read(sized, [], reader)[0])).toBe("hello");
    expect([...into]).toEqual([0, 0, 0, 0, 0, 0]);
  });

  test("may be followed by another on the same connection", () => {
    const reader = new ResponseReader(limits);
    expect([sized, chunked, sized].flatMap((bytes) => read(bytes, [], reader).map(text))).toEqual([
      "hello",
      "hello",
      "hello",
    ]);
  });

  test("may come after interim ones", () => {
    const interim = message("HTTP/1.1 100 Continue", "", "");
    expect(read(Buffer.concat([interim, interim, sized]), []).map(text)).toEqual(["hello"]);
  });

  test("without a length ends with the connection, which is then of no more use", () => {
    const reader = new ResponseReader(limits);
    expect(read(message("HTTP/1.1 200 OK", "", "hel"), [], reader)).toEqual([]);
    read(Buffer.from("lo"), [], reader);
    const answer = reader.end();
    expect(text(answer)).toBe("hello");
    expect(answer!.isConnectionUsable).toBe(false);
  });

  test("that is cut is none", () => {
    for (const bytes of [sized, chunked]) {
      for (let length = 0; length < bytes.length; length++) {
        const reader = new ResponseReader(limits);
        expect(read(bytes.subarray(0, length), [], reader)).toEqual([]);
        expect(reader.end()).toBeUndefined();
      }
    }
  });

  test.each([
    ["the sender closes", message("HTTP/1.1 200 OK", "Connection: close", "Content-Length: 0", "", "")],
    ["the sender is old", message("HTTP/1.0 200 OK", "Content-Length: 0", "", "")],
    ["more came than was said", message("HTTP/1.1 200 OK", "Content-Length: 1", "", "abc")],
    ["something follows the chunks", Buffer.concat([chunked, Buffer.from("x")])],
  ])("leaves a connection of no more use when %s", (_, bytes) => {
    const reader = new ResponseReader(limits);
    bytes.copy(reader.space());
    expect(reader.advance(bytes.length)!.isConnectionUsable).toBe(false);
  });
});

describe("refused is", () => {
  test.each([
    ["another protocol", message("SSH-2.0-OpenSSH", "", "")],
    ["HTTP/2", message("HTTP/2 200", "", "")],
    ["a status of two digits", message("HTTP/1.1 20 OK", "", "")],
    ["a switch of protocols", message("HTTP/1.1 101 Switching", "", "")],
    ["a folded header", message("HTTP/1.1 200 OK", "a: b", " c", "", "")],
    ["a space before the colon", message("HTTP/1.1 200 OK", "Content-Length : 1", "", "x")],
    ["a bare line feed in the head", message("HTTP/1.1 200 OK", "a: b\nContent-Length: 1", "", "x")],
    ["a zero byte in a header", message("HTTP/1.1 200 OK", "a: \0", "", "")],
    ["a length that is no number", message("HTTP/1.1 200 OK", "Content-Length: +5", "", "")],
    ["two lengths", message("HTTP/1.1 200 OK", "Content-Length: 5", "Content-Length: 5", "", "")],
    ["a list of lengths", message("HTTP/1.1 200 OK", "Content-Length: 5, 5", "", "")],
    [
      "a length beside chunks",
      message("HTTP/1.1 200 OK", "Content-Length: 5", "Transfer-Encoding: chunked", "", ""),
    ],
    ["another transfer coding", message("HTTP/1.1 200 OK", "Transfer-Encoding: gzip, chunked", "", "")],
    ["a length beyond what is asked for", message("HTTP/1.1 200 OK", "Content-Length: 4097", "", "")],
    [
      "a chunk size that is no number",
      message("HTTP/1.1 200 OK", "Transfer-Encoding: chunked", "", "0x5", ""),
    ],
    [
      "a chunk longer than its size",
      message("HTTP/1.1 200 OK", "Transfer-Encoding: chunked", "", "1", "ab", ""),
    ],
    [
      "a bare line feed among chunks",
      message("HTTP/1.1 200 OK", "Transfer-Encoding: chunked", "", "1\na", ""),
    ],
    ["a head without end", Buffer.from(`HTTP/1.1 200 OK\r\n${"a: b\r\n".repeat(5000)}`)],
  ])("%s", (_, bytes) => {
    expect(() => read(bytes, [])).toThrow(expect.objectContaining({ name: "MalformedAnswer" }));
  });

  test("chunks of more bytes than are asked for", () => {
    const bytes = message(
      "HTTP/1.1 200 OK",
      "Transfer-Encoding: chunked",
      "",
      "1001",
      "x".repeat(4097),
      "0",
      "",
      "",
    );
    expect(() => read(bytes, [])).toThrow("too long");
  });
});

/** A real answer with some bytes changed, doubled, dropped or cut, so that most get past the first line. */
function mangle(random: Random, original: Buffer): Buffer {
  let bytes = Buffer.from(original);
  for (let change = randomBelow(random, 4); change > 0; change--) {
    const at = randomBelow(random, bytes.length);
    const kind = randomBelow(random, 4);
    if (kind === 0) bytes[at] = randomBelow(random, 256);
    else if (kind === 1) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1)]);
    else if (kind === 2) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(Math.max(0, at - 9))]);
    else bytes = bytes.subarray(0, Math.max(1, at));
    if (bytes.length === 0) return Buffer.from("H");
  }
  return bytes;
}

type Outcome = "refused" | "unfinished" | readonly string[];

const fuzzed = new ResponseReader(limits);

function outcomeOf(bytes: Buffer, pieces: readonly number[]): Outcome {
  fuzzed.reset();
  try {
    const answers = read(bytes, pieces, fuzzed);
    return answers.length === 0 ? "unfinished" : [`${answers[0]!.status}:${text(answers[0])}`];
  } catch (error) {
    if ((error as Error).name !== "MalformedAnswer") throw error;
    return "refused";
  }
}

test("a million mangled answers are read or refused, and never otherwise", () => {
  const random = fastRandom(20_261_125);
  const seeds = [sized, chunked, message("HTTP/1.1 503 Slow", "Content-Length: 2", "Date: x", "", "{}")];
  const counts = { refused: 0, unfinished: 0, read: 0 };
  for (let input = 0; input < 1_000_000; input++) {
    const bytes = mangle(random, seeds[input % seeds.length]!);
    const outcome = outcomeOf(bytes, [1 + randomBelow(random, bytes.length)]);
    counts[typeof outcome === "string" ? outcome : "read"]++;
  }
  for (const count of Object.values(counts)) expect(count).toBeGreaterThan(10_000);
}, 600_000);

test("how a mangled answer is cut changes nothing of what is read first", () => {
  const random = seededRandom("cuts");
  for (let input = 0; input < 5_000; input++) {
    const bytes = mangle(random, input % 2 === 0 ? sized : chunked);
    const whole = outcomeOf(bytes, []);
    if (typeof whole !== "object") continue;
    const pieces = Array.from({ length: bytes.length }, () => 1);
    const dropped = outcomeOf(bytes, pieces);
    // What follows the first answer is read as a second one here, and may be refused: a connection is closed before that.
    if (typeof dropped === "object") expect(dropped).toEqual(whole);
  }
});

/** Randomness by the million: a linear generator, not the hash that `seededRandom` is. */
function fastRandom(seed: number): Random {
  let state = seed >>> 0;
  return {
    bytes(length) {
      const bytes = new Uint8Array(length);
      for (let index = 0; index < length; index++) {
        state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
        bytes[index] = state >>> 24;
      }
      return bytes;
    },
  };
}
