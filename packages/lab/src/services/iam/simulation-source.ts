import { nameKey, type Principal } from "../../identity/identity-tables.ts";
import type { Call } from "../../wire/operation-handler.ts";
import { holderAccess } from "./holders.ts";
import { invalidInput, noSuchEntity } from "./iam-errors.ts";

export interface SimulationSource {
  readonly holder: Principal;
  readonly kind: "role" | "user";
  readonly name: string;
}

const sourceForm = /^arn:[^:]+:iam::(\d{12}):(role|user)\/(?:.*\/)?([^/]+)$/;

/** The user or role whose policies are asked about; the caller needs the right on exactly it. */
export function authorizedSource(call: Call, action: string, arn: string): SimulationSource {
  const hit = sourceForm.exec(arn);
  if (hit === null)
    throw invalidInput(`Invalid Entity Arn: ${arn} does not clearly define entity type and name.`);
  const [, accountId = "", kind = "", name = ""] = hit;
  const { roles, users } = call.lab.identity;
  const holder = (kind === "role" ? roles : users).get(nameKey(accountId, name));
  const found = holder?.arn === arn ? holder : undefined;
  const resource = found === undefined ? { arn, accountId } : holderAccess(found);
  call.authorize({ action: `iam:${action}`, resources: [resource] });
  if (found === undefined) throw noSuchEntity(kind, name);
  return { holder: found, kind: kind as "role" | "user", name };
}
