import type { Grant } from "../grant.ts";
import { roleCatalogue } from "../role-catalogue.ts";
import type { RoleId } from "../role-definition.ts";
import { builtOperations } from "../role-operations.ts";

/** One thing to prove: one action of one grant, as one role holds it. */
export interface ProofSubject {
  readonly role: RoleId;
  /** The operation of the catalogue under which the role holds it. */
  readonly operation: string;
  readonly grant: Grant;
  readonly action: string;
}

/** Every action that a role holds for an operation of this release; of what is planned nothing can be proven. */
export function listProofSubjects(operations: readonly string[]): readonly ProofSubject[] {
  const roles = roleCatalogue.filter(({ serves }) => serves.some((id) => operations.includes(id)));
  return roles.flatMap((role) => {
    const seen = new Set<string>();
    return builtOperations(role).flatMap((operation) =>
      operation.grants
        .filter(({ id }) => !seen.has(id) && seen.add(id) !== undefined)
        .flatMap((grant) =>
          grant.actions.map((action) => ({ role: role.id, operation: operation.id, grant, action })),
        ),
    );
  });
}
