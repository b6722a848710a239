import { AwsError } from "../../wire/aws-error.ts";

export function noSuchEntity(what: string, name: string): AwsError {
  return new AwsError("NoSuchEntity", `The ${what} with name ${name} cannot be found.`, { status: 404 });
}

export function alreadyExists(what: string, name: string): AwsError {
  return new AwsError("EntityAlreadyExists", `${what} with name ${name} already exists.`, { status: 409 });
}

export function limitExceeded(message: string): AwsError {
  return new AwsError("LimitExceeded", message, { status: 409 });
}

export function deleteConflict(message: string): AwsError {
  return new AwsError("DeleteConflict", message, { status: 409 });
}

export function invalidInput(message: string): AwsError {
  return new AwsError("InvalidInput", message, { status: 400 });
}
