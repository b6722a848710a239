/** An IAM policy as Garrison writes it: explicit arrays, one statement a grant. */
export interface PolicyStatement {
  readonly Sid: string;
  readonly Effect: "Allow";
  readonly Principal?: Readonly<Record<string, string | readonly string[]>>;
  readonly Action: string | readonly string[];
  readonly Resource?: readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
}

export interface PolicyText {
  readonly Version: "2012-10-17";
  readonly Statement: readonly PolicyStatement[];
}

/** Characters as IAM counts them for role policies: white space doesn't count, and JSON.stringify writes none. */
export function policySize(policy: object): number {
  return JSON.stringify(policy).replace(/\s/g, "").length;
}
