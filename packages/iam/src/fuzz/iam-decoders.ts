import type { FuzzedDecoder } from "@garrison/core/fuzz/fuzz-decoder";
import { mutateBytes } from "@garrison/core/fuzz/mutate-bytes";
import { GarrisonError } from "@garrison/core/garrison-error";
import { randomFraction, type Random } from "@garrison/core/random";
import { evaluate } from "../evaluate.ts";
import type { EvaluationCase } from "../evaluation-case.ts";
import { explain } from "../explain.ts";
import { lintPolicy } from "../lint/lint-policy.ts";
import { loadServiceReference } from "../lint/load-service-reference.ts";
import { parseCase } from "../parse-case.ts";
import { parsePolicy } from "../parse-policy.ts";
import { caseSamples, policySamples } from "./iam-samples.ts";
import { mutateJson } from "./mutate-json.ts";

const codes: ReadonlySet<string> = new Set(["iam-policy-invalid", "iam-case-invalid"]);

/** What reads policies and requests from outside, down to the last sentence that is made of them. */
export async function listIamDecoders(call: {
  readonly signal: AbortSignal;
}): Promise<readonly FuzzedDecoder[]> {
  const reference = await loadServiceReference(call);
  // Unfolded beforehand: what a service's line takes is not the doing of the input that asks for it first.
  for (const service of reference.services) reference.find(service);
  return [
    decoder("iam.policy", policySamples, (json) => {
      const policy = parsePolicy(json);
      for (const given of questionsAbout(policy)) decide(given);
    }),
    decoder("iam.case", caseSamples, (json) => decide(parseCase(json))),
    decoder("iam.lint", policySamples, (json) => lintPolicy(json, { reference, text: JSON.stringify(json) })),
  ];
}

function decoder(name: string, samples: readonly object[], read: (json: unknown) => unknown): FuzzedDecoder {
  const bytes = samples.map((sample) => Buffer.from(JSON.stringify(sample)));
  return {
    name,
    codes,
    samples: bytes,
    decode: (given) => read(parseJson(Buffer.from(given).toString())),
    // Changed bytes are seldom JSON any more; changed trees always are.
    mutate: (random: Random) =>
      randomFraction(random) < 0.1
        ? mutateBytes(random, bytes)
        : Buffer.from(JSON.stringify(mutateJson(random, samples)) ?? ""),
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new GarrisonError("iam-case-invalid", "not JSON", { cause: error });
  }
}

/** The policy in both of its places, for callers and actions that its samples name. */
function questionsAbout(policy: object): readonly EvaluationCase[] {
  const request = {
    action: "sqs:SendMessage",
    resource: { resource: "arn:aws:sqs:eu-central-1:111111111111:blue-q", accountId: "111111111111" },
    principal: "arn:aws:sts::111111111111:assumed-role/app/s",
    context: { "aws:PrincipalTag/team": "blue", "aws:SourceIp": "10.1.2.3", "k:a": ["x", "z"] },
  };
  const unknownContext = ["aws:PrincipalOrgID", "aws:TagKeys", "aws:SecureTransport"];
  const bucket = { publicAccessBlock: { restrictPublicBuckets: true } };
  return [
    { request, identityPolicies: [{ policy }] },
    {
      request,
      identityPolicies: [{ policy }],
      sessionPolicy: policy,
      resourcePolicy: policy,
      unknownContext,
    },
    {
      request: { ...request, action: "s3:GetObject", principal: { type: "Anonymous" } },
      resourcePolicy: policy,
      bucket,
    },
  ];
}

/** A decision and a sentence, or a named error; nothing else. */
function decide(given: EvaluationCase): void {
  const { sentence } = explain(given, evaluate(given));
  if (!sentence.endsWith(".")) throw new Error(`not a sentence: ${sentence}`);
}
