import type { Account, NewAccount } from "@garrison/api/schemas/accounts";
import type { z } from "zod";
import type { checkRequestSchema } from "@garrison/api/schemas/roles";
import type { ChainReport } from "@garrison/roles/chain-report";
import { roleCatalogue } from "@garrison/roles/role-catalogue";
import { checkAccountChain } from "../runs/check-run-chain.ts";
import { noteDrift } from "../runs/note-drift.ts";
import * as store from "../store/accounts.ts";
import type { AppCall, AppDependencies } from "./app-dependencies.ts";

export function addAccount({ queries, clock }: AppDependencies, account: NewAccount): Promise<Account> {
  return store.createAccount(queries, account, new Date(clock.now()));
}

export async function checkAccountRoles(
  dependencies: AppDependencies,
  accountId: string,
  { operation, placement, least, signal }: z.output<typeof checkRequestSchema> & AppCall,
): Promise<ChainReport> {
  const account = await store.readAccount(dependencies.queries, accountId);
  const question = { account, operation, placement, withExcess: least };
  const report = await checkAccountChain(dependencies, question, { signal });
  await noteDrift(dependencies, { question, report }, { signal });
  return report;
}

export function listRoles() {
  const items = roleCatalogue.map(({ id, title, defaultName, livesIn, serves }) => ({
    id,
    title,
    defaultName,
    livesIn,
    operations: [...serves],
  }));
  return { items };
}
