import { expect, test } from "vitest";
import { readEventStream } from "./read-event-stream.ts";

async function* inPieces(text: string, size: number): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

test.each([1, 7, 1000])("events are read whole, however the stream is cut (%s bytes)", async (size) => {
  const text = ': a comment\n\nevent: run\ndata: {"name":"Größe"}\n\ndata: a\ndata: b\n\n';
  const events = [];
  for await (const event of readEventStream(inPieces(text, size))) events.push(event);
  expect(events).toEqual([
    { name: "run", data: '{"name":"Größe"}' },
    { name: "message", data: "a\nb" },
  ]);
});
