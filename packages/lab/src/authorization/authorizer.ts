import { randomUUID } from "node:crypto";
import type { CallerPrincipal } from "../identity/caller-principal.ts";
import type { Lab } from "../lab.ts";
import { AwsError } from "../wire/aws-error.ts";
import type { Authorization, ResourceAccess } from "../wire/operation-handler.ts";
import { denialMessage } from "./denial-message.ts";
import { encodeDenial } from "./denial-details.ts";
import { evaluateAccess, type AccessAnswer } from "./evaluate-access.ts";
import { callContext, endpointContext, type Context, type RequestFacts } from "./global-context.ts";

export interface AuthorizerOptions {
  readonly caller: CallerPrincipal;
  readonly facts: RequestFacts;
  readonly deniedCode: string;
  readonly encodesDenials: boolean;
}

/** Answers for one call; remembers what it was asked. */
export interface Authorizer {
  authorize(authorization: Authorization): void;
  isAllowed(authorization: Authorization): boolean;
  asked(): readonly string[];
}

export function openAuthorizer(lab: Lab, options: AuthorizerOptions): Authorizer {
  const asked: string[] = [];
  let context: Context | undefined;
  const denialOf = (
    authorization: Authorization,
  ): { answer: AccessAnswer; resource: ResourceAccess } | undefined => {
    asked.push(authorization.action);
    context ??= callContext(lab.organization, options.caller, options.facts);
    const question = {
      caller: options.caller,
      context: { ...context, ...endpointContext(options.facts, authorization.action) },
      endpoint: options.facts.endpoint,
      authorization,
    };
    for (const resource of authorization.resources) {
      const answer = evaluateAccess(lab, { ...question, resource });
      lab.usedRights.note(options.caller, answer);
      if (answer.result.decision !== "Allowed") return { answer, resource };
    }
    return undefined;
  };
  return {
    authorize(authorization) {
      const denial = denialOf(authorization);
      if (denial !== undefined) throw denied(lab, options, { ...denial, action: authorization.action });
    },
    isAllowed: (authorization) => denialOf(authorization) === undefined,
    asked: () => asked,
  };
}

interface DeniedAccess {
  readonly answer: AccessAnswer;
  readonly resource: ResourceAccess;
  readonly action: string;
}

function denied(lab: Lab, options: AuthorizerOptions, { answer, resource, action }: DeniedAccess): AwsError {
  const sentence = denialMessage({
    principalArn: options.caller.arn,
    action,
    resourceArn: resource.arn,
    result: answer.result,
  });
  // AccessDeniedException has the status of the service's own model.
  const status = options.deniedCode === "AccessDeniedException" ? {} : { status: 403 };
  if (!options.encodesDenials) return new AwsError(options.deniedCode, sentence, status);
  const encoded = encodeDenial(lab.state.collection("denials"), randomUUID(), answer);
  const message = `You are not authorized to perform this operation. ${sentence}. Encoded authorization failure message: ${encoded}`;
  return new AwsError(options.deniedCode, message, { status: 403 });
}
