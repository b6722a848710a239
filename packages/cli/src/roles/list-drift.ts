import { connectAppliance, type ConnectionFlags } from "../appliance/connect-appliance.ts";
import { listAll } from "../appliance/list-all.ts";
import { printResult } from "../appliance/print-result.ts";
import type { CliContext } from "../cli-context.ts";
import { formatDrifts } from "./format-drifts.ts";

/** What the appliance found changed in roles since their last good check, newest first. */
export async function listDrift(
  roleArn: string | undefined,
  flags: ConnectionFlags,
  context: CliContext,
): Promise<void> {
  const api = await connectAppliance(flags, context);
  const drifts = await listAll((cursor) => {
    const query = { limit: 100, ...(roleArn === undefined ? {} : { roleArn }) };
    const page = cursor === undefined ? query : { ...query, cursor };
    return api.call("listRoleDrift", { query: page }, context.signal);
  });
  printResult(context, { json: flags.json, value: { drifts }, text: () => formatDrifts(drifts) });
}
