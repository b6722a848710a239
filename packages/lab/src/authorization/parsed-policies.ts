/** Policy documents by their text: the evaluator compiles once for each object, so equal text must be one object. */
export interface ParsedPolicies {
  parse(document: string): object;
  /** One document with the statements of several: rights of a session policy are what any of them gives. */
  merge(documents: readonly string[]): object;
}

const keptDocuments = 5000;

export function openParsedPolicies(): ParsedPolicies {
  const parsed = new Map<string, object>();
  const keep = (key: string, make: () => object): object => {
    let found = parsed.get(key);
    if (found === undefined) {
      if (parsed.size >= keptDocuments) parsed.clear();
      parsed.set(key, (found = make()));
    }
    return found;
  };
  const parse = (document: string): object => keep(document, () => JSON.parse(document) as object);
  return {
    parse,
    merge(documents) {
      if (documents.length === 1) return parse(documents[0]!);
      return keep(documents.join("\n"), () => mergeDocuments(documents));
    },
  };
}

function mergeDocuments(documents: readonly string[]): object {
  const statements = documents.flatMap(
    (document) => (JSON.parse(document) as { Statement: object | object[] }).Statement,
  );
  return { Version: "2012-10-17", Statement: statements };
}
