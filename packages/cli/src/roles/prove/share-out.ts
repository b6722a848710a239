/**
 * Has several workplaces do the tasks of one list, each the next one when it is done with its last; those that open late
 * join late. Answers in the order of the list; `undefined` stands for what was not begun when it was stopped.
 */
export async function shareOut<Place, Result>(
  places: readonly Promise<Place>[],
  tasks: readonly ((place: Place) => Promise<Result>)[],
  call: { readonly signal: AbortSignal },
): Promise<readonly (Result | undefined)[]> {
  const results: (Result | undefined)[] = tasks.map(() => undefined);
  const open = [...tasks.entries()];
  const work = async (opening: Promise<Place>): Promise<void> => {
    const place = await opening;
    for (let next = open.shift(); next !== undefined && !call.signal.aborted; next = open.shift()) {
      const [at, task] = next;
      results[at] = await task(place);
    }
  };
  const workers = places.map((place) =>
    work(place).catch((error: unknown) => {
      // What fails because everything was stopped is no failure of its own.
      if (!call.signal.aborted) throw error;
    }),
  );
  await Promise.all(workers);
  return results;
}
