import { openProber } from "@garrison/aws/role-prober";
import { GarrisonError } from "@garrison/core/garrison-error";
import { allAccounts } from "../store/accounts.ts";
import type { AppCall, AppDependencies } from "./app-dependencies.ts";

/** Who this appliance is, as AWS and its role documents see it. */
export async function readInstallation(
  { access, installation, region }: AppDependencies,
  call: AppCall,
): Promise<{ readonly installation: string; readonly applianceArn: string; readonly region: string }> {
  // Asked for before its roles exist, in order to write them: a configured role need not be there yet.
  if (access.applianceRoleArn !== undefined) {
    return { installation, applianceArn: access.applianceRoleArn, region };
  }
  const prober = openProber(access.appliance);
  try {
    const caller = await prober.callerIdentity({ signal: call.signal });
    if (caller.outcome === "known") return { installation, applianceArn: caller.value.arn, region };
    throw new GarrisonError(
      "aws-credentials-missing",
      `the appliance has no AWS identity: ${caller.message}`,
    );
  } finally {
    prober.close();
  }
}

export async function readReadiness({ queries }: AppDependencies): Promise<{ readonly status: string }> {
  try {
    await allAccounts(queries);
    return { status: "ready" };
  } catch (error) {
    throw new GarrisonError("database-failed", "the database does not answer", { cause: error });
  }
}
