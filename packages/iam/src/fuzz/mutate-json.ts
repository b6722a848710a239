import { randomBelow, randomFraction, type Random } from "@garrison/core/random";

type Json = unknown;

/** Pieces of policies where they don't belong, and what JSON holds besides. */
const scraps: readonly Json[] = [
  ..."* ? : ** *:* s3:* sqs:Send* arn:aws:s3:::b/* arn: arn:aws arn:aws:iam::111111111111:root Allow Deny".split(
    " ",
  ),
  ..."${aws:username} ${ ${} ${*} ${aws:PrincipalTag/team,'x'} ${k:a} 2012-10-17 2008-10-17 AWS Service Null".split(
    " ",
  ),
  ..."StringLike ForAnyValue:StringLike ForAllValues:Bool NumericLessThanIfExists DateGreaterThan IpAddress ArnLike".split(
    " ",
  ),
  ..."BinaryEquals aws:SourceIp kms:EncryptionContext:a 10.0.0.0/8 ::/0 999.1.1.1/40 1e999 -0 2026-13-45T99:99Z".split(
    " ",
  ),
  ..."kms:ViaService __proto__ constructor toString true false \u0000 \ud800 ünïcödé".split(" "),
  "",
  " ",
  "*".repeat(200),
  "?*".repeat(60),
  "${aws:username}".repeat(20),
  "a".repeat(3_000),
  0,
  -1,
  1e21,
  true,
  false,
  null,
  [],
  {},
  [[]],
  [null],
  { AWS: "*" },
  { "": {} },
];

/** One to three changes in the tree of a valid document: it stays JSON, and mostly a policy in most places. */
export function mutateJson(random: Random, samples: readonly Json[]): Json {
  let json: Json = structuredClone(pick(random, samples));
  for (let changes = 1 + randomBelow(random, 3); changes > 0; changes--) {
    json = change(json, random, pick(random, samples));
  }
  return json;
}

function pick<T>(random: Random, items: readonly T[]): T {
  return items[randomBelow(random, items.length)]!;
}

/** Walks down to a random place and changes it there. */
function change(json: Json, random: Random, other: Json): Json {
  const keys = typeof json === "object" && json !== null ? Object.keys(json) : [];
  if (keys.length === 0 || randomFraction(random) < 0.12) return replace(json, random, other);
  const key = pick(random, keys);
  const child = (json as Record<string, Json>)[key];
  if (randomFraction(random) < 0.15) return rename(json, random, key);
  return withChild(json, key, change(child, random, other));
}

function replace(json: Json, random: Random, other: Json): Json {
  switch (randomBelow(random, 6)) {
    case 0:
      return [json, pick(random, scraps)];
    case 1:
      return Array.from({ length: 1 + randomBelow(random, 12) }, () => json);
    case 2:
      return somePart(other, random);
    case 3:
      return typeof json === "string" ? spoil(json, random) : pick(random, scraps);
    default:
      return pick(random, scraps);
  }
}

/** Text with a piece of other text in it, or without some of its own. */
function spoil(text: string, random: Random): string {
  const at = randomBelow(random, text.length + 1);
  const piece = pick(random, scraps);
  const inserted = typeof piece === "string" ? piece : "";
  return text.slice(0, at) + inserted + text.slice(at + randomBelow(random, 3));
}

function somePart(json: Json, random: Random): Json {
  if (typeof json !== "object" || json === null || randomFraction(random) < 0.3) return json;
  const children = Object.values(json);
  return children.length === 0 ? json : somePart(pick(random, children), random);
}

/** Takes a child away, or gives it another name. */
function rename(json: Json, random: Random, key: string): Json {
  if (Array.isArray(json)) return json.filter((_, place) => String(place) !== key);
  const entries = Object.entries(json as Record<string, Json>);
  const name = randomFraction(random) < 0.5 ? undefined : String(pick(random, scraps));
  return Object.fromEntries(
    entries.flatMap(([each, value]) =>
      each !== key ? [[each, value]] : name === undefined ? [] : [[name, value]],
    ),
  );
}

function withChild(json: Json, key: string, child: Json): Json {
  if (Array.isArray(json)) return json.map((each: Json, place) => (String(place) === key ? child : each));
  return Object.fromEntries(
    Object.entries(json as Record<string, Json>).map(([each, value]) => [each, each === key ? child : value]),
  );
}
