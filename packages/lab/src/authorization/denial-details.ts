import type { Collection } from "../state/collection.ts";
import type { AccessAnswer } from "./evaluate-access.ts";

/**
 * EC2 tells why it denied only to those who may decode the message. The code is a reference to what the lab keeps, as
 * opaque to the caller as AWS's own.
 */
export function encodeDenial(details: Collection<string>, id: string, answer: AccessAnswer): string {
  const { question, result } = answer;
  const matched = result.matched.map(({ policy, sid, effect }) => ({
    statementId: sid ?? "",
    effect: effect.toUpperCase(),
    policy,
  }));
  const decoded = {
    allowed: false,
    explicitDeny: result.decision === "ExplicitlyDenied",
    matchedStatements: { items: matched },
    failures: { items: result.blockedBy },
    context: {
      principal: { arn: question.request.principal },
      action: question.request.action,
      resource: question.request.resource.resource,
      conditions: {
        items: Object.entries(question.request.context ?? {}).map(([key, values]) => ({
          key,
          values: { items: [values].flat().map((value) => ({ value })) },
        })),
      },
    },
  };
  if (details.size >= keptDenials) details.delete(details.keys().next().value!);
  details.put(id, JSON.stringify(decoded));
  return Buffer.from(`denial:${id}`).toString("base64url").padEnd(80, "A");
}

const keptDenials = 500;

/** What an encoded message stood for; undefined when it isn't one of ours. */
export function decodeDenial(details: Collection<string>, encoded: string): string | undefined {
  const text = Buffer.from(encoded, "base64url").toString("latin1");
  const id = /^denial:([0-9a-f-]{36})/.exec(text)?.[1];
  return id === undefined ? undefined : details.get(id);
}
