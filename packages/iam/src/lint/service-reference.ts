/** A kind of resource that actions take. */
export interface ResourceTypeFacts {
  readonly name: string;
  /** `arn:${Partition}:sqs:${Region}:${Account}:${QueueName}`. */
  readonly arn: string;
  readonly conditionKeys: readonly string[];
}

export interface ActionFacts {
  /** `sqs:SendMessage`. */
  readonly name: string;
  /** Empty where the action takes no resource but `*`. */
  readonly resourceTypes: readonly ResourceTypeFacts[];
  /** All keys that the action carries for some resource, in lower case, as templates (`aws:resourcetag/${tagkey}`). */
  readonly conditionKeys: ReadonlySet<string>;
}

export interface ConditionKeyFacts {
  readonly name: string;
  readonly type: string;
}

export interface ServiceFacts {
  readonly name: string;
  /** By the action's name in lower case, without the service. */
  readonly actions: ReadonlyMap<string, ActionFacts>;
  readonly conditionKeys: readonly ConditionKeyFacts[];
}

/** What AWS's service authorization reference tells about actions, resource types and condition keys. */
export interface ServiceReference {
  /** The prefixes of all services. */
  readonly services: readonly string[];
  /** The prefix has to be in lower case. */
  find(service: string): ServiceFacts | undefined;
  /** The actions of any service with this name, whatever its case (`ebs:GetSnapshotBlock`). */
  findByName(name: string): readonly string[];
}

type Places = readonly number[];

/** A line of the shipped file; numbers are places in the line's own lists (tools/service-reference.ts writes it). */
interface WrittenService {
  readonly service: string;
  readonly keys: readonly (readonly [string, string])[];
  readonly types: readonly (readonly [string, string, Places])[];
  readonly actions: Readonly<Record<string, readonly [readonly Places[], Places]>>;
}

/** Reads the shipped file; a service's line is only unfolded when the service is asked for. */
export function parseServiceReference(text: string): ServiceReference {
  const lines = new Map<string, string>();
  for (const line of text.split("\n")) {
    const found = /^\{"service":"([^"]+)"/.exec(line);
    if (found?.[1] !== undefined) lines.set(found[1], line);
  }
  const known = new Map<string, ServiceFacts>();
  return {
    services: [...lines.keys()],
    find(service) {
      const line = lines.get(service);
      if (line === undefined) return undefined;
      const facts = known.get(service) ?? unfold(JSON.parse(line) as WrittenService);
      known.set(service, facts);
      return facts;
    },
    findByName(name) {
      if (!/^\w+$/.test(name)) return [];
      const written = new RegExp(`"(${name})":\\[\\[`, "i");
      return [...lines].flatMap(([service, line]) => {
        const found = written.exec(line)?.[1];
        return found === undefined ? [] : [`${service}:${found}`];
      });
    },
  };
}

function unfold({ service, keys, types, actions }: WrittenService): ServiceFacts {
  const keysAt = (places: Places) => places.map((place) => keys[place]?.[0] ?? "");
  const resourceTypes = types.map(([name, arn, places]) => ({ name, arn, conditionKeys: keysAt(places) }));
  const facts = Object.entries(actions).map(([name, [taken, own]]) => {
    const takenTypes = taken.flatMap(([place = -1]) => resourceTypes[place] ?? []);
    const carried = [
      ...keysAt(own),
      ...taken.flatMap(([, ...places]) => keysAt(places)),
      ...takenTypes.flatMap((type) => type.conditionKeys.filter((key) => !isOfRequest(key))),
    ];
    const conditionKeys = new Set(carried.map((key) => key.toLowerCase()));
    return [
      name.toLowerCase(),
      { name: `${service}:${name}`, resourceTypes: takenTypes, conditionKeys },
    ] as const;
  });
  const conditionKeys = keys.map(([name, type]) => ({ name, type }));
  return { name: service, actions: new Map(facts), conditionKeys };
}

/** A resource type lists these for the actions that tag it; whether an action does is listed with the action. */
function isOfRequest(key: string): boolean {
  return /^aws:(RequestTag\/|TagKeys$)/i.test(key);
}
