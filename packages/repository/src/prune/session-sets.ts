import type { JsonFields, JsonObject } from "../format/json-fields.ts";
import type { SessionBase } from "../format/session-objects.ts";

/** Sessions by series, 16 digits each: what catalogue and audit notes hold. */
export function encodeSessions(sessions: readonly SessionBase[]): JsonObject {
  const grouped = new Map<string, string[]>();
  for (const { series, session } of sessions) {
    const known = grouped.get(series);
    if (known === undefined) grouped.set(series, [session]);
    else known.push(session);
  }
  const lists = [...grouped.entries()].toSorted(([left], [right]) => (left < right ? -1 : 1));
  return { lists: lists.map(([series, ids]) => ({ series, sessions: ids.toSorted().join("") })) };
}

export function decodeSessions(fields: JsonFields): SessionBase[] {
  return fields
    .list("lists", (list) => {
      const series = list.hex("series", 16);
      const ids = list.text("sessions").match(/[0-9a-f]{16}/g) ?? [];
      return ids.map((session) => ({ series, session }));
    })
    .flat();
}

export function sessionKey({ series, session }: SessionBase): string {
  return `${series}/${session}`;
}
