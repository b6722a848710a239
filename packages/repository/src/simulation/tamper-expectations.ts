/** What a full check says: it names the object, or it can't know of anything, and why. */
export type Told = "named" | { readonly silence: string };

/** What is to be seen when an object of a kind is spoilt. */
export interface TamperExpectation {
  /** Cut, lengthened, a bit flipped, another object in its place. */
  readonly changed: Told;
  readonly deleted: Told;
  /** What the keys made for this very name in another course of events; absent: always the same lies there. */
  readonly older?: Told;
  /** Whether no restore ever looks at it, so that all give the right bytes. Otherwise some may fail, by name. */
  readonly isIdle: boolean;
  /** It is not sealed: nothing vouches for the time that it says it was made at. */
  readonly isOpen?: true;
}

const because = (silence: string): Told => ({ silence });
const ended = because("its restore point has ended: nothing refers to it, and a prune removes it");
const over = because("what a session needed while it ran; it is over, and looks as if a prune had been here");
const oneOfMany = because(
  "how many there should be is written nowhere, and another one may have taken its place",
);
const asGood = because("it is authentic, and nothing that counts rests on what it says");
const undone = because("its forwards look as if a pruner had died, and lead to the same bytes all the same");

const open = { isOpen: true } as const;
const idle = { isIdle: true } as const;
const needed = { isIdle: false } as const;

/** By kind of object, as `namesByKind` calls them. */
export const tamperExpectations: Readonly<Record<string, TamperExpectation>> = {
  header: { changed: "named", deleted: "named", ...needed, ...open },
  "probe note": {
    changed: "named",
    deleted: because("the next prune looks at the store again"),
    ...idle,
    ...open,
  },
  wrap: {
    changed: "named",
    deleted: because("a key that is gone looks like one that somebody has removed"),
    older: "named",
    ...needed,
  },
  "retired mark": {
    changed: "named",
    deleted: because("nothing else says that this key was to go: it counts again"),
    ...idle,
  },
  "epoch slot": { changed: "named", deleted: "named", older: "named", ...needed },
  "open of a backup": { changed: "named", deleted: over, ...idle },
  "open of a moves": { changed: "named", deleted: over, ...idle },
  lane: { changed: "named", deleted: over, ...idle },
  base: { changed: "named", deleted: over, ...idle },
  mark: { changed: "named", deleted: over, older: asGood, ...idle },
  record: { changed: "named", deleted: "named", older: "named", ...needed },
  "record, the newest of its series": {
    changed: "named",
    deleted: because("no later record has seen it: the session looks as if it had died before its commit"),
    older: "named",
    ...needed,
  },
  "record of an ended point": { changed: ended, deleted: ended, older: ended, ...idle },
  "given-up": { changed: "named", deleted: "named", ...idle },
  fence: { changed: "named", deleted: "named", ...idle },
  moves: { changed: "named", deleted: undone, older: undone, ...idle },
  tombstone: {
    changed: "named",
    deleted: because("nothing else says that the point has ended: it counts again, as whole as it was"),
    ...idle,
  },
  forward: { changed: "named", deleted: "named", older: "named", ...needed },
  "note: audit": { changed: "named", deleted: oneOfMany, ...idle },
  "note: catalogue": { changed: "named", deleted: oneOfMany, ...idle },
  "note: findings": { changed: "named", deleted: oneOfMany, older: asGood, ...idle },
  "note: locks": { changed: "named", deleted: oneOfMany, ...idle },
  "note: verified": { changed: "named", deleted: oneOfMany, ...idle },
  pack: { changed: "named", deleted: "named", older: "named", ...needed },
  map: { changed: "named", deleted: "named", older: "named", ...needed },
  "pack of an ended point": { changed: ended, deleted: ended, older: ended, ...idle },
  "map of an ended point": { changed: ended, deleted: ended, older: ended, ...idle },
};
