type JsonObject = Readonly<Record<string, unknown>>;

/**
 * Brings what converters from other formats write to the documented shape of a case, where it can only mean one thing:
 * null is absent; `unknownContext` may stand in `request`; a policy may stand where `{ name, policy }` is expected, and the
 * other way round; account ids may be numbers; a principal may be written as in a policy. Everything else, and whatever is
 * wrong, is left as it is for `parseCase` to judge.
 */
export function normalizeCase(json: unknown): unknown {
  if (!isObject(json)) return json;
  const given = withoutNulls(json);
  const { request, unknownContext } = normalizeRequest(given["request"], given["unknownContext"]);
  return {
    ...given,
    ...(request === undefined ? {} : { request }),
    ...(unknownContext === undefined ? {} : { unknownContext }),
    ...(typeof given["name"] === "number" ? { name: String(given["name"]) } : {}),
    ...change(given, ["identityPolicies", "permissionBoundaries", "vpcEndpointPolicies"], toNamedPolicies),
    ...change(given, ["sessionPolicy", "resourcePolicy"], toDocument),
    ...change(given, ["managementAccountId"], toAccountId),
    ...change(given, ["serviceControlPolicies", "resourceControlPolicies"], toLevels),
  };
}

function change(
  object: JsonObject,
  keys: readonly string[],
  how: (value: unknown) => unknown,
): Record<string, unknown> {
  return Object.fromEntries(
    keys.filter((key) => object[key] !== undefined).map((key) => [key, how(object[key])]),
  );
}

function normalizeRequest(
  request: unknown,
  unknownContext: unknown,
): { readonly request: unknown; readonly unknownContext: unknown } {
  if (!isObject(request)) return { request, unknownContext };
  const { unknownContext: inRequest, ...rest } = withoutNulls(request);
  return {
    request: {
      ...rest,
      ...change(rest, ["principal"], toPrincipal),
      ...change(rest, ["resource"], toResource),
      ...change(rest, ["context"], (context) => (isObject(context) ? withoutNulls(context) : context)),
    },
    unknownContext: joinLists(unknownContext, inRequest),
  };
}

function joinLists(left: unknown, right: unknown): unknown {
  return Array.isArray(left) && Array.isArray(right) ? [...left, ...right] : (left ?? right);
}

const principalKinds: readonly string[] = ["AWS", "Service", "Federated", "CanonicalUser"];

function toPrincipal(value: unknown): unknown {
  if (!isObject(value)) return value;
  if (/^anonymous$/i.test(String(value["type"]))) return { type: "Anonymous" };
  const [[kind, name] = ["", undefined], ...others] = Object.entries(value);
  return others.length === 0 && principalKinds.includes(kind) ? name : value;
}

function toResource(value: unknown): unknown {
  const accountId = isObject(value) ? value["accountId"] : undefined;
  if (!isObject(value) || typeof accountId !== "number") return value;
  return { ...value, accountId: toAccountId(accountId) };
}

function toAccountId(value: unknown): unknown {
  return typeof value === "number" ? String(value).padStart(12, "0") : value;
}

function toNamedPolicies(value: unknown): unknown {
  if (isObject(value) && isPolicyOrNamed(value)) return [toNamed(value)];
  return Array.isArray(value) ? value.map(toNamed) : value;
}

function toNamed(value: unknown): unknown {
  if (!isObject(value)) return value;
  return value["policy"] === undefined && value["Statement"] !== undefined
    ? { policy: value }
    : withoutNulls(value);
}

function toDocument(value: unknown): unknown {
  const isNamed = isObject(value) && value["Statement"] === undefined && isObject(value["policy"]);
  return isNamed ? value["policy"] : value;
}

function toLevels(value: unknown): unknown {
  if (!Array.isArray(value)) return value;
  return value.map((level, place) => {
    if (!isObject(level)) return level;
    const { orgIdentifier = `level ${place + 1}`, ...rest } = withoutNulls(level);
    return { orgIdentifier, ...rest, ...change(rest, ["policies"], toNamedPolicies) };
  });
}

function isPolicyOrNamed(value: JsonObject): boolean {
  return value["policy"] !== undefined || value["Statement"] !== undefined;
}

function withoutNulls(object: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== null));
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
