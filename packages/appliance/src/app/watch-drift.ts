import { describeError } from "@garrison/core/garrison-error";
import type { Account } from "@garrison/api/schemas/accounts";
import { checkAccountChain, type ChainQuestion } from "../runs/check-run-chain.ts";
import { noteDrift } from "../runs/note-drift.ts";
import type { RunDependencies } from "../runs/run-dependencies.ts";
import { allAccounts } from "../store/accounts.ts";
import { lastRoleCheck } from "../store/role-drift.ts";

/** Checks the roles of all accounts regularly, until the signal fires; an appliance that was down catches up. */
export async function watchDrift(
  dependencies: RunDependencies,
  options: { readonly everyMs: number; readonly signal: AbortSignal },
): Promise<void> {
  const { clock, logger, queries } = dependencies;
  const { everyMs, signal } = options;
  while (!signal.aborted) {
    try {
      const last = (await lastRoleCheck(queries))?.getTime() ?? clock.now();
      await clock.sleep(Math.max(0, last + everyMs - clock.now()), signal);
      await checkAllRoles(dependencies, { signal });
      // Where nothing could be looked at, the last check stays as long ago as it is.
      await clock.sleep(Math.min(everyMs, 60_000), signal);
    } catch (error) {
      if (signal.aborted) return;
      logger.warn({ error: describeError(error) }, "checking the roles failed");
      await clock.sleep(everyMs, signal).catch(() => undefined);
    }
  }
}

/** One account's trouble must not keep the others from being looked at. */
export async function checkAllRoles(
  dependencies: RunDependencies,
  call: { readonly signal: AbortSignal },
): Promise<void> {
  for (const account of await allAccounts(dependencies.queries))
    for (const question of questionsOf(account)) await checkChain(dependencies, question, call);
}

async function checkChain(
  dependencies: RunDependencies,
  question: ChainQuestion,
  call: { readonly signal: AbortSignal },
): Promise<void> {
  const { logger } = dependencies;
  try {
    const report = await checkAccountChain(dependencies, question, call);
    const found = await noteDrift(dependencies, { question, report }, call);
    for (const { events, parts, roleArn } of found)
      logger.warn({ roleArn, parts, events }, "a role was changed");
  } catch (error) {
    if (call.signal.aborted) throw error;
    const { id: account } = question.account;
    logger.warn({ error: describeError(error), account }, "the roles could not be checked");
  }
}

function questionsOf(account: Account): readonly ChainQuestion[] {
  const placement = account.roles.worker === undefined ? "backup" : "production";
  const question = (operation: ChainQuestion["operation"]) => ({ account, operation, placement }) as const;
  return [
    ...(account.roles.backup === undefined ? [] : [question("ec2.image-backup")]),
    ...(account.roles.restore === undefined ? [] : [question("ec2.instance-restore")]),
  ];
}
