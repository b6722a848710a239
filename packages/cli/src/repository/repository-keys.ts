import { GarrisonError } from "@garrison/core/garrison-error";
import { addWrap, changeSecret } from "@garrison/repository/keys/add-wrap";
import { exportEscrow, importEscrow } from "@garrison/repository/keys/escrow-keys";
import { listWraps } from "@garrison/repository/keys/list-wraps";
import { openKeyring, type Keyring } from "@garrison/repository/keys/open-keyring";
import { planRotation } from "@garrison/repository/keys/plan-rotation";
import { removeWrap } from "@garrison/repository/keys/remove-wrap";
import type { RepositorySecret } from "@garrison/repository/keys/repository-secret";
import { rotateKeys } from "@garrison/repository/keys/rotate-keys";
import type { NewSecret } from "@garrison/repository/keys/write-wrap";
import type { CliContext } from "../cli-context.ts";
import { openStore, type OpenedStore } from "../repository-address.ts";
import {
  formatChanged,
  formatKeys,
  formatPlan,
  formatRemoved,
  formatRotation,
  revokesNothing,
} from "./format-keys.ts";
import { readNewPassword, readPasswordFile } from "./read-password.ts";
import { openKms, readSecret, readSheet, type SecretFlags } from "./read-secret.ts";
import { openSheetFile } from "./sheet-file.ts";

export interface KeysFlags extends SecretFlags {
  readonly newPasswordFile?: string;
  readonly kmsKey?: string;
  readonly label?: string;
  readonly escrowFile?: string;
  readonly alsoPasswordFile?: readonly string[];
  readonly alsoSheet?: readonly string[];
  readonly alsoKms?: true;
  readonly drop?: readonly string[];
  readonly plan?: true;
  readonly json?: true;
}

/** What an action works with. */
interface KeysAction {
  readonly store: OpenedStore["store"];
  readonly wrapId: string | undefined;
  readonly flags: KeysFlags;
  readonly context: CliContext;
}

const actions: Readonly<Record<string, (action: KeysAction) => Promise<void>>> = {
  list,
  add,
  remove,
  "change-password": changePassword,
  rotate,
  export: exportSheet,
  import: importSheet,
};
export const keyActions = Object.keys(actions);

/** `repository keys URL [ACTION] [ID]`. */
export async function runKeys(
  wanted: { readonly url: string; readonly action: string; readonly wrapId: string | undefined },
  flags: KeysFlags,
  context: CliContext,
): Promise<void> {
  const run = actions[wanted.action];
  if (run === undefined) {
    throw new GarrisonError("usage", `${wanted.action} is none of ${keyActions.join(", ")}`);
  }
  if (wanted.wrapId !== undefined && wanted.action !== "remove") {
    throw new GarrisonError("usage", `only remove takes the id of a key, ${wanted.action} does not`);
  }
  using opened = await openStore(wanted.url, context);
  await run({ store: opened.store, wrapId: wanted.wrapId, flags, context });
}

async function list(action: KeysAction): Promise<void> {
  const keyring = await openWith(action, [await readSecret(action.flags, action.context)], false);
  const wraps = listWraps(keyring);
  const { newestEpoch } = keyring;
  print(action, { newestEpoch, keys: wraps }, () => formatKeys(wraps, newestEpoch));
}

async function add(action: KeysAction): Promise<void> {
  const { store, context, flags } = action;
  const keyring = await openWith(action, [await readSecret(flags, context)], false);
  const added = await addWrap({ ...context, store }, { keyring, ...(await readNew(action)) }, context);
  print(action, { added }, () => `Added key ${added}\n`);
}

/** The secret that is to be added: a KMS key, or a new password. */
async function readNew({ flags, context }: KeysAction): Promise<NewSecret> {
  const { kmsKey, label, newPasswordFile } = flags;
  const named = label === undefined ? {} : { label };
  if (kmsKey !== undefined)
    return { ...named, secret: { kms: await openKms(context, kmsKey), keyId: kmsKey } };
  return { ...named, secret: { password: await readNewPassword(newPasswordFile, context) } };
}

async function remove(action: KeysAction): Promise<void> {
  const { store, context, wrapId, flags } = action;
  if (wrapId === undefined) throw new GarrisonError("usage", "remove takes the id of a key");
  const keyring = await openWith(action, [await readSecret(flags, context)], false);
  const outcome = await removeWrap({ ...context, store }, { keyring, wrapId }, context);
  const removed = [{ wrapId, outcome }];
  print(action, { removed, note: revokesNothing }, () => `${formatRemoved(removed)}${revokesNothing}\n`);
}

async function changePassword(action: KeysAction): Promise<void> {
  const { store, context, flags } = action;
  const keyring = await openWith(action, [await readSecret(flags, context)], true);
  const secret = { password: await readNewPassword(flags.newPasswordFile, context) };
  const label = flags.label ?? listWraps(keyring).findLast(({ isAtHand }) => isAtHand)?.label;
  const named = label === undefined ? {} : { label };
  const changed = await changeSecret({ ...context, store }, { keyring, secret, ...named }, context);
  print(action, { ...changed, note: revokesNothing }, () => formatChanged(changed));
}

async function rotate(action: KeysAction): Promise<void> {
  const { store, context, flags } = action;
  const secrets = await readAllSecrets(action);
  const keyring = await openWith(action, secrets, true);
  const plan = planRotation(keyring, { drop: flags.drop ?? [] });
  if (flags.json !== true) context.stdout.write(formatPlan(plan));
  if (flags.plan === true) {
    if (flags.json === true) context.stdout.write(`${JSON.stringify({ plan })}\n`);
    return;
  }
  const done = await rotateKeys({ ...context, store }, { keyring, plan, secrets }, context);
  print(action, { plan, ...done, note: revokesNothing }, () => formatRotation(done));
}

async function readAllSecrets({ flags, context }: KeysAction): Promise<readonly RepositorySecret[]> {
  const secrets: RepositorySecret[] = [await readSecret(flags, context)];
  for (const file of flags.alsoPasswordFile ?? []) secrets.push({ password: await readPasswordFile(file) });
  for (const file of flags.alsoSheet ?? []) secrets.push({ masterSecret: (await readSheet(file)).secret });
  if (flags.alsoKms === true) secrets.push({ kms: await openKms(context) });
  return secrets;
}

async function exportSheet(action: KeysAction): Promise<void> {
  const { store, context, flags } = action;
  const keyring = await openWith(action, [await readSecret(flags, context)], false);
  await using sheet = flags.escrowFile === undefined ? undefined : await openSheetFile(flags.escrowFile);
  const label = flags.label ?? "escrow";
  const escrow = await exportEscrow({ ...context, store }, { keyring, label }, context);
  await sheet?.write(escrow.text);
  const file = sheet?.file;
  const value = {
    added: escrow.wrapId,
    ...(file === undefined ? { sheet: escrow.text } : { escrowFile: file }),
  };
  const told = `Added key ${escrow.wrapId}; its sheet is in ${file}: print it, lock it away, delete the file\n`;
  print(action, value, () => (file === undefined ? escrow.text : told));
}

async function importSheet(action: KeysAction): Promise<void> {
  const { store, context, flags } = action;
  if (flags.sheet === undefined) throw new GarrisonError("usage", "import takes the sheet: --sheet FILE");
  const keyring = await importEscrow({ ...context, store }, await readSheet(flags.sheet), context);
  const added = await addWrap({ ...context, store }, { keyring, ...(await readNew(action)) }, context);
  const note =
    "The sheet opens the repository as before; `export` a new one and `remove` its key if it may be known.";
  print(action, { added, note }, () => `Added key ${added}\n${note}\n`);
}

function openWith(
  { store, context }: KeysAction,
  secrets: readonly RepositorySecret[],
  every: boolean,
): Promise<Keyring> {
  return openKeyring({ store }, { secrets, every }, context);
}

function print({ flags, context }: KeysAction, value: object, text: () => string): void {
  context.stdout.write(flags.json === true ? `${JSON.stringify(value)}\n` : text());
}
