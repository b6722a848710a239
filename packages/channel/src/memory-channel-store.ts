import type { ChannelStore, StoredChannel } from "./channel-store.ts";

/** A record in memory, for tests and for channels that end with their process. */
export function memoryChannelStore(): ChannelStore {
  let stored: string | undefined;
  const current = () => (stored === undefined ? undefined : (JSON.parse(stored) as StoredChannel));
  return {
    load: async () => current(),
    save: async (record) => {
      if ((current()?.revision ?? 0) !== record.revision - 1) return false;
      stored = JSON.stringify(record);
      return true;
    },
  };
}
