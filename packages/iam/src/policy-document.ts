/** One value or a list of them: the grammar allows both wherever it allows a list. */
export type OneOrMany<T> = T | readonly T[];

export type ConditionValue = string | number | boolean;

/** operator -> context key -> values; all operators and keys must hold, any one of the values suffices. */
export type ConditionBlock = Readonly<Record<string, Readonly<Record<string, OneOrMany<ConditionValue>>>>>;

export type PrincipalElement = "*" | Readonly<Record<string, OneOrMany<string>>>;

/** A statement as it is written; exactly one of each pair (`Action`/`NotAction`, ...) may be present. */
export interface StatementDocument {
  readonly Sid?: string;
  readonly Effect: "Allow" | "Deny";
  readonly Principal?: PrincipalElement;
  readonly NotPrincipal?: PrincipalElement;
  readonly Action?: OneOrMany<string>;
  readonly NotAction?: OneOrMany<string>;
  readonly Resource?: OneOrMany<string>;
  readonly NotResource?: OneOrMany<string>;
  readonly Condition?: ConditionBlock;
}

/** An IAM policy document as it is written. Without `Version` it is `2008-10-17`: policy variables stay text. */
export interface PolicyDocument {
  readonly Version?: "2008-10-17" | "2012-10-17";
  readonly Id?: string;
  readonly Statement: OneOrMany<StatementDocument>;
}
