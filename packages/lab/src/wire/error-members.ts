import type { AwsError } from "./aws-error.ts";
import { writeJsonStructure } from "./json-codec.ts";
import type { ErrorSchema } from "./service-schemas.ts";
import { writeXmlMembers } from "./xml-writer.ts";

/** The modelled members of an error besides code and message, as XML. */
export function writeErrorMembers(known: ErrorSchema, error: AwsError): string {
  return writeXmlMembers(
    known.shape,
    error.members,
    (member) => !["message", "Message", "Code", "Type"].includes(member.name),
  );
}

/** The JSON body of an error: its message under the name that the model has, and its other members. */
export function writeErrorBody(known: ErrorSchema | undefined, error: AwsError): Record<string, unknown> {
  const members = known === undefined ? {} : writeJsonStructure(known.shape, error.members);
  const capital = known?.shape.members.some((member) => member.name === "Message") ?? false;
  return { ...members, [capital ? "Message" : "message"]: error.message };
}
