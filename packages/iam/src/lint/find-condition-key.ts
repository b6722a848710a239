import { fitsTemplate } from "../call-context-keys.ts";
import { globalConditionKeys } from "../global-condition-keys.ts";
import { nearestName } from "./nearest-name.ts";
import type { ServiceReference } from "./service-reference.ts";

export interface FoundKey {
  readonly name: string;
  /** As the service reference writes it; undefined where it isn't known, as for keys of identity providers. */
  readonly type: string | undefined;
  /** In lower case, as `ActionFacts.conditionKeys` holds it; undefined where every action may carry the key. */
  readonly template: string | undefined;
}

/** Looks a key (in any case) up; undefined if there is no such key. */
export function findConditionKey(text: string, reference: ServiceReference): FoundKey | undefined {
  const key = text.toLowerCase();
  const [prefix = ""] = key.split(":");
  const ofService = reference.find(prefix)?.conditionKeys.find(({ name }) => fitsTemplate(name, key));
  const global = globalConditionKeys.find(({ name }) => fitsTemplate(name, key));
  if (global !== undefined) {
    const template = global.byAction === true ? global.name.toLowerCase() : undefined;
    return { name: global.name, type: global.type, template };
  }
  if (ofService !== undefined) return { ...ofService, template: ofService.name.toLowerCase() };
  // Claims of identity providers: theirs to name (`token.actions.githubusercontent.com:sub`).
  return prefix.includes(".") ? { name: text, type: undefined, template: undefined } : undefined;
}

/** The key that was probably meant, of the same prefix. */
export function nearestConditionKey(text: string, reference: ServiceReference): string | undefined {
  const [prefix = ""] = text.toLowerCase().split(":");
  const ofService = reference.find(prefix)?.conditionKeys.map(({ name }) => name) ?? [];
  return nearestName(text, [...ofService, ...globalConditionKeys.map(({ name }) => name)]);
}
