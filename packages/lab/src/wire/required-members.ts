import { DecodeError } from "./decode-error.ts";
import type { Shape } from "./schema.ts";
import type { ProtocolKind } from "./service-schemas.ts";

/** Refuses an input that lacks a member its model requires, anywhere in it. */
export function checkRequired(
  shape: Shape,
  input: Readonly<Record<string, unknown>>,
  kind: ProtocolKind,
): void {
  for (const member of shape.members) {
    const value = input[member.name];
    if (value === undefined || value === null) {
      if (member.required)
        throw new DecodeError("missing-parameter", member.name, missingMessage(member.name, kind));
    } else if (member.shape.kind === "structure") {
      checkRequired(member.shape, value as Readonly<Record<string, unknown>>, kind);
    } else if (member.shape.kind === "list" && member.shape.value!.shape.kind === "structure") {
      for (const item of value as readonly Readonly<Record<string, unknown>>[])
        checkRequired(member.shape.value!.shape, item, kind);
    }
  }
}

function missingMessage(name: string, kind: ProtocolKind): string {
  if (kind === "ec2-query") return `The request must contain the parameter ${name}`;
  const camel = name.charAt(0).toLowerCase() + name.slice(1);
  return `1 validation error detected: Value null at '${camel}' failed to satisfy constraint: Member must not be null`;
}
