import { AwsError } from "../../../wire/aws-error.ts";
import { MissingResource } from "./missing-resource.ts";

/** `InvalidVolume.NotFound: The volume 'vol-1' does not exist.` */
export function notFound(code: string, what: string, id: string): AwsError {
  return new MissingResource(code, `The ${what} '${id}' does not exist`, id);
}

export function invalidParameter(message: string): AwsError {
  return new AwsError("InvalidParameterValue", message);
}

export function missingParameter(name: string): AwsError {
  return new AwsError("MissingParameter", `The request must contain the parameter ${name}`);
}

export function incorrectState(what: string, id: string, state: string): AwsError {
  return new AwsError(`IncorrectState`, `The ${what} '${id}' is in the '${state}' state.`);
}

/** `id` must look like `prefix-<hex>`, otherwise AWS says Malformed rather than NotFound. */
export function checkIdForm(id: string, prefix: string, code: string): void {
  if (new RegExp(`^${prefix}-([0-9a-f]{8}|[0-9a-f]{17})$`).test(id)) return;
  throw new AwsError(code, `Invalid id: "${id}" (expecting "${prefix}-...")`);
}
