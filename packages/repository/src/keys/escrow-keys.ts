import { GarrisonError } from "@garrison/core/garrison-error";
import { encodeWrap, openWrap, wrapName, type KeyWrap } from "../format/key-wrap.ts";
import { repositoryObjectName } from "../format/object-names.ts";
import type { StoreCall } from "../store/object-store.ts";
import { addWrap } from "./add-wrap.ts";
import { formatEscrowSheet, type EscrowSheet } from "./escrow-sheet.ts";
import { openKeyring, type Keyring } from "./open-keyring.ts";
import { readKeyObjects } from "./read-key-objects.ts";
import { encodeRepositoryHeader, readRepositoryHeader } from "./repository-header.ts";
import { stretchSecret } from "./stretch-secret.ts";
import type { KeyDependencies } from "./write-wrap.ts";

const secretBytes = 32;

export interface ExportedEscrow {
  readonly wrapId: string;
  /** The sheet, to be printed: it is shown this once and kept nowhere. */
  readonly text: string;
}

/** Lets a new random secret open the repository and puts it on an escrow sheet. */
export async function exportEscrow(
  dependencies: KeyDependencies,
  wanted: { readonly keyring: Keyring; readonly label: string },
  call: StoreCall,
): Promise<ExportedEscrow> {
  const { store, clock, random } = dependencies;
  const { keyring, label } = wanted;
  const masterSecret = random.bytes(secretBytes);
  const wrapId = await addWrap(dependencies, { keyring, label, secret: { masterSecret } }, call);
  const { wraps } = await readKeyObjects(dependencies, call);
  const stored = wraps.find((wrap) => wrap.wrapId === wrapId);
  if (stored === undefined) throw new GarrisonError("keys-conflict", `the new key ${wrapId} is gone already`);
  const { recipe, sealedKeys: keys } = stored.wrap;
  const { repositoryId } = keyring;
  const about = [
    `address     ${store.address}`,
    `label       ${label}`,
    `made        ${new Date(clock.now()).toISOString()}, key epochs 1 to ${keyring.masterKeys.length}`,
  ];
  const sealed = { salt: recipe.salt, keys };
  return {
    wrapId,
    text: formatEscrowSheet({ repositoryId, wrapId, secret: masterSecret, sealed }, about),
  };
}

/**
 * Opens a repository with a sheet, after bringing back from it what is lost of the repository's header and the sheet's
 * own key. Throws `usage` when the sheet belongs to another repository.
 */
export async function importEscrow(
  dependencies: KeyDependencies,
  sheet: EscrowSheet,
  call: StoreCall,
): Promise<Keyring> {
  const { store } = dependencies;
  await restoreHeader(dependencies, sheet, call);
  const { repositoryId } = await readRepositoryHeader(store, call);
  if (repositoryId !== sheet.repositoryId) {
    const message = `the sheet is of repository ${sheet.repositoryId}, at ${store.address} lies ${repositoryId}`;
    throw new GarrisonError("usage", message);
  }
  const { wraps } = await readKeyObjects(dependencies, call);
  if (!wraps.some(({ wrapId }) => wrapId === sheet.wrapId)) await restoreWrap(dependencies, sheet, call);
  const secrets = [{ masterSecret: sheet.secret }];
  return openKeyring(dependencies, { secrets, every: true }, call);
}

/** Nothing in the header is secret: with the sheet's id it can be written anew. */
async function restoreHeader(
  { store, clock }: KeyDependencies,
  sheet: EscrowSheet,
  call: StoreCall,
): Promise<void> {
  for await (const { key } of store.list(repositoryObjectName, call))
    if (key === repositoryObjectName) return;
  if (sheet.sealed === undefined) return;
  const header = encodeRepositoryHeader({ repositoryId: sheet.repositoryId, createdAtMs: clock.now() });
  await store.create(repositoryObjectName, header, call);
}

async function restoreWrap(
  { store, clock }: KeyDependencies,
  sheet: EscrowSheet,
  call: StoreCall,
): Promise<void> {
  const { repositoryId, wrapId, secret, sealed } = sheet;
  if (sealed === undefined) {
    throw new GarrisonError(
      "key-unknown",
      `${store.address} has no key ${wrapId} any more; part 2 of the sheet would bring it back`,
    );
  }
  const recipe = { kdf: "secret", salt: sealed.salt } as const;
  const wrap: KeyWrap = { recipe, epochs: (sealed.keys.length - 16) / 32, sealedKeys: sealed.keys };
  const stretched = await stretchSecret({ repositoryId, recipe }, { masterSecret: secret }, call);
  const masterKeys = openWrap({ repositoryId, wrapId }, wrap, stretched!);
  if (masterKeys === undefined) throw new GarrisonError("escrow-unreadable", "part 1 does not open part 2");
  const about = {
    recipe,
    stretched: stretched!,
    masterKeys,
    madeAtMs: clock.now(),
    label: "from an escrow sheet",
  };
  await store.create(wrapName(wrapId), encodeWrap({ repositoryId, wrapId }, about), call);
}
