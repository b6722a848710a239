import { eq } from "drizzle-orm";
import type { Queries } from "./database/open-database.ts";
import { settings } from "./database/schema.ts";

/** The value stored under `name`; the first call decides what it is. */
export async function loadOrCreateSetting(
  queries: Queries,
  name: string,
  create: () => string,
): Promise<string> {
  await queries.insert(settings).values({ name, value: create() }).onConflictDoNothing();
  const [row] = await queries.select().from(settings).where(eq(settings.name, name));
  return String(row?.value);
}
