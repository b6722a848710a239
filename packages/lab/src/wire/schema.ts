/**
 * The SDK clients export every modelled shape as a tuple (`RunInstancesRequest$`); those tuples, and nothing else of the
 * client, drive the lab's codecs. Here they are turned once into plain objects that a codec can walk quickly.
 */
export type ShapeKind =
  | "structure"
  | "list"
  | "map"
  | "string"
  | "number"
  | "boolean"
  | "timestamp"
  | "blob"
  | "document";

export type TimestampFormat = "date-time" | "http-date" | "epoch-seconds";

export type Traits = Readonly<Record<string, unknown>>;

export interface Shape {
  readonly kind: ShapeKind;
  readonly name: string;
  readonly traits: Traits;
  /** Only where the model fixes one; otherwise the protocol's default holds. */
  readonly timestampFormat?: TimestampFormat;
  readonly streaming: boolean;
  /** Structures: in the order of the model. */
  readonly members: readonly Member[];
  /** Lists and maps. */
  readonly value?: Member;
  readonly key?: Member;
}

export interface Member {
  readonly name: string;
  /** The target's traits with the member's own on top. */
  readonly traits: Traits;
  readonly required: boolean;
  readonly shape: Shape;
}

export interface OperationSchema {
  readonly name: string;
  /** Absent when the operation takes or returns nothing. */
  readonly input: Shape | undefined;
  readonly output: Shape | undefined;
  readonly http: { readonly method: string; readonly path: string; readonly status: number } | undefined;
}

const bitTraits = [
  "httpLabel",
  "idempotent",
  "idempotencyToken",
  "sensitive",
  "httpPayload",
  "httpResponseCode",
  "httpQueryParams",
] as const;

const simpleShapes: Readonly<Record<number, Partial<Shape> & { readonly kind: ShapeKind }>> = {
  0: { kind: "string" },
  1: { kind: "number" },
  2: { kind: "boolean" },
  4: { kind: "timestamp" },
  5: { kind: "timestamp", timestampFormat: "date-time" },
  6: { kind: "timestamp", timestampFormat: "http-date" },
  7: { kind: "timestamp", timestampFormat: "epoch-seconds" },
  15: { kind: "document" },
  17: { kind: "number" },
  19: { kind: "number" },
  21: { kind: "blob" },
  42: { kind: "blob", streaming: true },
};

type Tuple = readonly unknown[];

const shapesByTuple = new WeakMap<object, Shape>();
const simpleByCode = new Map<number, Shape>();

/** Reads an operation tuple `[9, namespace, name, traits, input, output]`. */
export function readOperation(tuple: Tuple): OperationSchema {
  const http = readTraits(tuple[3])["http"] as readonly [string, string, number] | undefined;
  return {
    name: tuple[2] as string,
    input: optionalShape(tuple[4]),
    output: optionalShape(tuple[5]),
    http: http && { method: http[0], path: http[1], status: http[2] },
  };
}

/** The shape behind any reference the clients use: tuple, simple code, function, or member pair. */
export function readShape(reference: unknown): Shape {
  const target = unwrap(reference).target;
  if (typeof target === "number") return simpleShape(target);
  if (!Array.isArray(target)) throw new TypeError(`not a schema: ${String(target)}`);
  let shape = shapesByTuple.get(target);
  if (shape === undefined) shapesByTuple.set(target, (shape = readTuple(target)));
  return shape;
}

function optionalShape(reference: unknown): Shape | undefined {
  return unwrap(reference).target === "unit" ? undefined : readShape(reference);
}

function readTuple(tuple: Tuple): Shape {
  const [id, , name] = tuple as [number, string, string];
  const traits = readTraits(tuple[3]);
  const base = { name, traits, streaming: Boolean(traits["streaming"]), members: [] };
  if (id === 0) {
    const inner = readShape(tuple[4]);
    return {
      ...inner,
      name,
      traits: { ...inner.traits, ...traits },
      streaming: inner.streaming || base.streaming,
    };
  }
  if (id === 1) return { ...base, kind: "list", value: lazyMember("member", tuple[4], false) };
  if (id === 2) {
    return {
      ...base,
      kind: "map",
      key: lazyMember("key", tuple[4], true),
      value: lazyMember("value", tuple[5], false),
    };
  }
  const names = tuple[4] as readonly string[];
  const targets = tuple[5] as readonly unknown[];
  const requiredCount = (tuple[6] as number | undefined) ?? 0;
  const members = names.map((member, index) => lazyMember(member, targets[index], index < requiredCount));
  return { ...base, kind: "structure", members };
}

function simpleShape(code: number): Shape {
  let shape = simpleByCode.get(code);
  if (shape === undefined) simpleByCode.set(code, (shape = makeSimple(code)));
  return shape;
}

function makeSimple(code: number): Shape {
  const base = { name: "", traits: {}, streaming: false, members: [] };
  if (code >= 128) {
    return {
      ...base,
      kind: "map",
      key: lazyMember("key", 0, true),
      value: lazyMember("value", code & 63, false),
    };
  }
  if (code >= 64) return { ...base, kind: "list", value: lazyMember("member", code & 63, false) };
  const simple = simpleShapes[code];
  if (simple === undefined) throw new TypeError(`unknown simple schema ${code}`);
  return { ...base, ...simple };
}

/** Shapes refer to themselves (a filter of filters), so a member's target is read when it is first needed. */
function lazyMember(name: string, reference: unknown, required: boolean): Member {
  let shape: Shape | undefined;
  let traits: Traits | undefined;
  const own = memberTraits(reference);
  return {
    name,
    required,
    get shape() {
      return (shape ??= readShape(reference));
    },
    get traits() {
      return (traits ??= { ...this.shape.traits, ...own });
    },
  };
}

function memberTraits(reference: unknown): Traits {
  return isMemberPair(reference) ? { ...memberTraits(reference[0]), ...readTraits(reference[1]) } : {};
}

function unwrap(reference: unknown): { target: unknown } {
  let target = reference;
  for (;;) {
    if (typeof target === "function") target = (target as () => unknown)();
    else if (isMemberPair(target)) target = target[0];
    else return { target };
  }
}

function isMemberPair(value: unknown): value is readonly [unknown, unknown] {
  return Array.isArray(value) && value.length === 2;
}

function readTraits(value: unknown): Traits {
  if (typeof value === "object" && value !== null) return value as Traits;
  const bits = Number(value ?? 0);
  return Object.fromEntries(bitTraits.filter((_, index) => (bits >> index) & 1).map((trait) => [trait, 1]));
}
