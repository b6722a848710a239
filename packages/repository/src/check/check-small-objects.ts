import { GarrisonError } from "@garrison/core/garrison-error";
import { mapConcurrent } from "@garrison/core/map-concurrent";
import { decodeForward } from "../format/forward.ts";
import { parseJson } from "../format/json-fields.ts";
import {
  allNotesPrefix,
  forwardsPrefix,
  parseForwardName,
  parseMarkName,
  parseNoteName,
  sessionsPrefix,
} from "../format/object-names.ts";
import { decodeObject, readSignedBody, type ObjectKind, type OpenedObject } from "../format/sealed-object.ts";
import { decodeBase, decodeMark, decodeOpenHead } from "../format/session-objects.ts";
import { isDamage } from "../point/is-damage.ts";
import type { StoreCall } from "../store/object-store.ts";
import type { DomainCheck, Finding } from "./check-plan.ts";

const readsAtOnce = 8;

/**
 * Reads what the points of a domain don't name: what is left of the making of sessions, notes, and forwards (what is lost
 * by one of these is told of the pack that it leads from). Damage to others costs at worst a session that can't be resumed
 * or a note that is made again, but it says that somebody, or the store, changes objects.
 */
export async function* checkSmallObjects(check: DomainCheck, call: StoreCall): AsyncGenerator<Finding> {
  const { domain } = check.keys;
  const options = { concurrency: readsAtOnce, signal: call.signal };
  for (const prefix of [sessionsPrefix(domain), allNotesPrefix(domain), forwardsPrefix(domain)]) {
    const listed = check.store.list(prefix, call);
    for await (const finding of mapConcurrent(listed, options, ({ key }) => checkOne(check, key, call))) {
      if (finding !== undefined) yield finding;
    }
  }
}

async function checkOne(check: DomainCheck, key: string, call: StoreCall): Promise<Finding | undefined> {
  try {
    const kind = kindOf(key);
    if (kind === undefined) {
      return {
        severity: "notice",
        code: "foreign-object",
        key,
        message: "no object of ours has such a name",
      };
    }
    const object = decodeObject(check.keys, key, await check.store.read(key, call));
    if (object.kind !== kind) throw new GarrisonError("object-malformed", `${key} holds a ${object.kind}`);
    decodeBody(check, object);
    return undefined;
  } catch (error) {
    // Sessions and notes come and go while a check is running.
    if (!isDamage(error)) throw error;
    if (error.code === "object-missing") return undefined;
    return { severity: "notice", code: error.code, key, message: error.message };
  }
}

const sessionObject = /\/session\/[0-9a-f]{16}\/(open|base|lane)(?:-[0-9a-f]{8})?$/;

function kindOf(key: string): ObjectKind | undefined {
  if (parseMarkName(key) !== undefined) return "mark";
  if (parseNoteName(key) !== undefined) return "note";
  if (parseForwardName(key) !== undefined) return "forward";
  return sessionObject.exec(key)?.[1] as ObjectKind | undefined;
}

function decodeBody(check: DomainCheck, object: OpenedObject): void {
  const { kind, body, name } = object;
  if (kind === "open") decodeOpenHead(body, name);
  else if (kind === "base") decodeBase(body, name);
  else if (kind === "mark") decodeMark(body, name);
  else if (kind === "lane") parseJson(body, name);
  else decodeSigned(name, readSignedBody(check.keys, object));
}

function decodeSigned(name: string, object: ReturnType<typeof readSignedBody>): void {
  if (!object.isSigned) throw new GarrisonError("object-damaged", `the keeper did not sign ${name}`);
  const forward = parseForwardName(name);
  if (forward === undefined) parseJson(object.body, name);
  else decodeForward(object.body, forward, name);
}
