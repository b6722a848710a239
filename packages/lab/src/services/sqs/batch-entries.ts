import { AwsError } from "../../wire/aws-error.ts";

interface BatchEntry {
  readonly Id: string | undefined;
}

/** Runs each entry of a batch by itself: what fails is reported beside what succeeded. */
export function runBatch<Entry extends BatchEntry>(
  entries: readonly Entry[],
  run: (entry: Entry) => object,
  options: { readonly tooLong?: boolean } = {},
): { Successful: object[]; Failed: object[] } {
  checkBatch(entries, options.tooLong ?? false);
  const Successful: object[] = [];
  const Failed: object[] = [];
  for (const entry of entries) {
    try {
      Successful.push({ Id: entry.Id, ...run(entry) });
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      Failed.push({ Id: entry.Id, SenderFault: true, Code: error.code, Message: error.message });
    }
  }
  return { Successful, Failed };
}

function checkBatch(entries: readonly BatchEntry[], tooLong: boolean): void {
  if (entries.length === 0) {
    throw new AwsError(
      "EmptyBatchRequest",
      "There should be at least one SendMessageBatchRequestEntry in the request.",
    );
  }
  if (entries.length > 10) {
    throw new AwsError(
      "TooManyEntriesInBatchRequest",
      `Maximum number of entries per request are 10. You have sent ${entries.length}.`,
    );
  }
  const ids = entries.map(({ Id = "" }) => Id);
  const malformed = ids.find((id) => !/^[A-Za-z0-9_-]{1,80}$/.test(id));
  if (malformed !== undefined) {
    throw new AwsError(
      "InvalidBatchEntryId",
      "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.",
    );
  }
  const repeated = ids.find((id, index) => ids.indexOf(id) !== index);
  if (repeated !== undefined) throw new AwsError("BatchEntryIdsNotDistinct", `Id ${repeated} repeated.`);
  if (tooLong) {
    throw new AwsError("BatchRequestTooLong", "Batch requests cannot be longer than 1048576 bytes.");
  }
}
