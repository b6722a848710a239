import type { AdminRequest, Lab } from "../lab.ts";
import type { WithheldRight } from "../authorization/withheld-rights.ts";
import type { FaultRule } from "../wire/faults.ts";

/** The admin routes that every lab has: health, inventory, faults, the call log, and the rights that roles use. */
export function addCoreRoutes(lab: Lab): void {
  lab.adminRoutes.set("health", () => ({
    status: "ok",
    region: lab.settings.region,
    accounts: [...lab.identity.accounts.keys()],
    calls: lab.calls.total(),
  }));
  lab.adminRoutes.set("inventory", () => inventory(lab));
  lab.adminRoutes.set("faults", (request) => answerFaults(lab, request));
  lab.adminRoutes.set("rights/used", ({ method }) => {
    if (method === "DELETE") lab.usedRights.clear();
    return { rights: lab.usedRights.list() };
  });
  lab.adminRoutes.set("rights/withheld", ({ method, body }) => {
    if (method === "PUT") lab.withheld.set((body as { readonly rights: readonly WithheldRight[] }).rights);
    return { rights: lab.withheld.list() };
  });
  lab.adminRoutes.set("calls", ({ query }) => {
    const since = Number(query.get("since") ?? 0);
    return { total: lab.calls.total(), calls: lab.calls.entries().filter(({ atMs }) => atMs >= since) };
  });
}

/** Every collection with its count and keys: what a test compares before and after. */
function inventory(lab: Lab): object {
  const rows = [...lab.state.names()].sort().map((name) => {
    const ids = [...lab.state.collection(name).keys()];
    return [name, { count: ids.length, ids }] as const;
  });
  return { collections: Object.fromEntries(rows) };
}

function answerFaults(lab: Lab, { method, body }: AdminRequest): object {
  if (method === "DELETE") lab.faults.clear();
  else if (method === "POST") return lab.faults.add(body as Omit<FaultRule, "id">);
  return { rules: lab.faults.list() };
}
