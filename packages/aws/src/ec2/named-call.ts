import { translateAwsError } from "../translate-aws-error.ts";

/** Waits for an SDK call; a failure says our own step (`describing i-1`) and has one of our codes. */
export async function namedCall<Answer>(doing: string, answer: Promise<Answer>): Promise<Answer> {
  try {
    return await answer;
  } catch (error) {
    throw translateAwsError(error, doing);
  }
}

export interface AwsCall {
  readonly signal: AbortSignal;
}
