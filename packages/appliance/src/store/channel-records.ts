import { storedChannelSchema, type ChannelStore } from "@garrison/channel/channel-store";
import { and, eq } from "drizzle-orm";
import type { Queries } from "./database/open-database.ts";
import { workers } from "./database/schema.ts";
import type { SecretBox } from "../secrets/secret-box.ts";

/** The appliance's end of a worker's channel, kept sealed in the worker's row: a restarted appliance goes on with it. */
export function openChannelRecord(queries: Queries, secrets: SecretBox, workerId: string): ChannelStore {
  const purpose = `channel ${workerId}`;
  return {
    async load() {
      const [row] = await queries
        .select({ channel: workers.channel })
        .from(workers)
        .where(eq(workers.id, workerId));
      if (row?.channel === null || row === undefined) return undefined;
      return storedChannelSchema.parse(JSON.parse(secrets.open(row.channel, purpose)));
    },
    async save(record) {
      const changed = await queries
        .update(workers)
        .set({ channel: secrets.seal(JSON.stringify(record), purpose), channelRevision: record.revision })
        .where(and(eq(workers.id, workerId), eq(workers.channelRevision, record.revision - 1)))
        .returning({ id: workers.id });
      return changed.length > 0;
    },
  };
}
