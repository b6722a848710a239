import { decodeForward, encodeForward } from "../format/forward.ts";
import { decodeWrap, encodeWrap } from "../format/key-wrap.ts";
import { encodeEpochSlot, epochSlotName } from "../format/key-marks.ts";
import type { JsonObject } from "../format/json-fields.ts";
import { parseForwardName, parseNoteName } from "../format/object-names.ts";
import { decodeObject, readSignedBody, type OpenedObject } from "../format/sealed-object.ts";
import { decodeMoves, encodeMoves } from "../format/session-objects.ts";
import { signObject } from "../keeper/sign-object.ts";
import { deriveSecret } from "../keys/stretch-secret.ts";
import { fixtureDomain } from "./engine-fixture.ts";
import type { SampleRepository } from "./sample-repository.ts";

/**
 * What could have come to lie under names of the sample in another course of events: made with the right keys for the
 * right name, and authentic. Each name is written once, so that this is what an older version of an object could be.
 */
export function olderVersions(
  sample: SampleRepository,
  made: { readonly twin: SampleRepository; readonly masterSecret: Uint8Array },
): ReadonlyMap<string, Uint8Array> {
  const versions = new Map<string, Uint8Array>();
  for (const [name, { bytes }] of sample.fixture.objects) {
    const other = made.twin.fixture.objects.get(name)?.bytes;
    if (other !== undefined && !Buffer.from(other).equals(bytes)) versions.set(name, other);
  }
  const keys = [...olderWraps(sample, made.masterSecret), otherEpochSlot(sample)];
  for (const [name, bytes] of [...keys, ...olderSigned(sample)]) versions.set(name, bytes);
  return versions;
}

type Version = readonly [name: string, bytes: Uint8Array];

/** Wraps of one secret, as they would be if the rotation had left them out. */
function* olderWraps({ fixture }: SampleRepository, masterSecret: Uint8Array): Generator<Version> {
  const { repositoryId } = fixture.repository;
  for (const [name, { bytes }] of fixture.objects) {
    const wrapId = /^key\/([0-9a-f]{16})$/.exec(name)?.[1];
    if (wrapId === undefined) continue;
    const { recipe, madeAtMs = 0, label = "" } = decodeWrap(bytes, name);
    const stretched = deriveSecret(masterSecret, recipe.salt);
    const masterKeys = fixture.masterKeys.slice(0, 1);
    yield [name, encodeWrap({ repositoryId, wrapId }, { recipe, stretched, masterKeys, madeAtMs, label })];
  }
}

/** As another rotation would have filled it, had it been quicker. */
function otherEpochSlot({ fixture }: SampleRepository): Version {
  const { repositoryId } = fixture.repository;
  const slot = { check: "ab".repeat(32), madeAtMs: 0 };
  return [epochSlotName(2), encodeEpochSlot({ repositoryId, epoch: 2 }, slot, fixture.masterKeys[0]!)];
}

/** What a keeper could have signed: it had moved less; it took something for lost. */
function* olderSigned({ fixture }: SampleRepository): Generator<Version> {
  const controlPrivateKey = fixture.repository.controlPrivateKey(fixtureDomain);
  for (const [name, { bytes }] of fixture.objects) {
    if (Buffer.from(bytes.subarray(0, 4)).toString() !== "GRSN") continue;
    const object = decodeObject(fixture.keys, name, bytes);
    const { kind } = object;
    const body = olderBody(object, readSignedBody(fixture.keys, object).body);
    if (body !== undefined) yield [name, signObject({ ...fixture, controlPrivateKey }, { name, kind, body })];
  }
}

function olderBody({ kind, name }: OpenedObject, body: Uint8Array): JsonObject | undefined {
  const forward = parseForwardName(name);
  if (forward !== undefined) return encodeForward(decodeForward(body, forward, name).items.slice(1));
  if (kind === "moves") {
    const moves = decodeMoves(body, name);
    return encodeMoves({ ...moves, packs: moves.packs.slice(1) });
  }
  if (parseNoteName(name)?.kind !== "findings") return undefined;
  const gone = { kind: "pack", session: "0".repeat(16), lane: "0".repeat(8), number: 0, count: 1 };
  return { packs: [{ ...gone, keptBytes: 0, offsets: "", covered: "" }], volumes: [] };
}
