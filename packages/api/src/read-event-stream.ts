export interface StreamEvent {
  readonly name: string;
  readonly data: string;
}

/** Server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html), comments left out. */
export async function* readEventStream(body: AsyncIterable<Uint8Array>): AsyncGenerator<StreamEvent> {
  const decoder = new TextDecoder();
  let pending = "";
  for await (const bytes of body) {
    pending += decoder.decode(bytes, { stream: true });
    const blocks = pending.split("\n\n");
    pending = blocks.pop() ?? "";
    for (const block of blocks) {
      const event = parseEvent(block);
      if (event !== undefined) yield event;
    }
  }
}

function parseEvent(block: string): StreamEvent | undefined {
  const lines = block.split("\n");
  const valuesOf = (field: string) =>
    lines
      .filter((line) => line.startsWith(`${field}:`))
      .map((line) => line.slice(field.length + 1).trimStart());
  const data = valuesOf("data");
  return data.length === 0
    ? undefined
    : { name: valuesOf("event").at(-1) ?? "message", data: data.join("\n") };
}
