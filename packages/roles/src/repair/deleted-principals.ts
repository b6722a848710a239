import type { StatementDocument } from "@garrison/iam/policy-document";
import { statementsOf, withStatements } from "./edit-policy.ts";

/** How IAM shows a user or role that a trust names and that is deleted: nobody has this id any more. */
const deletedId = /^(?:AROA|AIDA)[A-Z0-9]+(?::|$)/;

/** Lets nobody in, as a trust does that names only what is deleted; IAM takes none without a statement. */
const nobody: StatementDocument = {
  Sid: "OnlyDeletedPrincipals",
  Effect: "Deny",
  Principal: { AWS: "*" },
  Action: "sts:AssumeRole",
};

/**
 * The trust without the deleted users and roles that it names: it lets in the same, and IAM stores it, whereas it wants
 * their ids removed.
 */
export function withoutDeleted(trust: object): object {
  const statements = statementsOf(trust);
  const living = statements.flatMap((statement) => livingStatement(statement) ?? []);
  return living.every((one, place) => one === statements[place]) && living.length === statements.length
    ? trust
    : (withStatements(trust, living) ?? withStatements(trust, [nobody]) ?? trust);
}

function livingStatement(statement: StatementDocument): StatementDocument | undefined {
  const { Principal: principal } = statement;
  if (typeof principal !== "object" || principal.AWS === undefined) return statement;
  const { AWS: named, ...others } = principal;
  const living = [named].flat().filter((id) => !deletedId.test(id));
  if (living.length === [named].flat().length) return statement;
  const [first = ""] = living;
  const Principal = living.length === 0 ? others : { ...others, AWS: living.length === 1 ? first : living };
  return Object.keys(Principal).length === 0 ? undefined : { ...statement, Principal };
}
