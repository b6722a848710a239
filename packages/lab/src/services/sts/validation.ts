import { AwsError } from "../../wire/aws-error.ts";

/** STS and IAM name the member in camel case and the constraint that it fails. */
export function validationError(message: string): AwsError {
  return new AwsError("ValidationError", message, { status: 400 });
}

export interface TextRule {
  readonly min: number;
  readonly max: number;
  readonly pattern: RegExp;
}

export function checkText(member: string, value: string | undefined, rule: TextRule): void {
  if (value === undefined) return;
  const failure = textFailure(value, rule);
  if (failure !== undefined) {
    throw validationError(
      `1 validation error detected: Value '${value}' at '${member}' failed to satisfy constraint: Member must ${failure}`,
    );
  }
}

function textFailure(value: string, { min, max, pattern }: TextRule): string | undefined {
  if (value.length < min) return `have length greater than or equal to ${min}`;
  if (value.length > max) return `have length less than or equal to ${max}`;
  return pattern.test(value) ? undefined : `satisfy regular expression pattern: ${pattern.source}`;
}

export function checkRange(
  member: string,
  value: number | undefined,
  range: readonly [min: number, max: number],
): void {
  if (value === undefined) return;
  const [min, max] = range;
  if (Number.isInteger(value) && value >= min && value <= max) return;
  const failure = value < min ? `greater than or equal to ${min}` : `less than or equal to ${max}`;
  throw validationError(
    `1 validation error detected: Value '${value}' at '${member}' failed to satisfy constraint: Member must have value ${failure}`,
  );
}
