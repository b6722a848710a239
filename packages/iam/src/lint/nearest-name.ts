/** The name that was probably meant: few changes away, for a word of that length. */
export function nearestName(written: string, names: Iterable<string>): string | undefined {
  const wanted = written.toLowerCase();
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(wanted.length / 3)) + 1;
  for (const name of names) {
    if (Math.abs(name.length - wanted.length) >= bestDistance) continue;
    const distance = editDistance(wanted, name.toLowerCase(), bestDistance);
    if (distance >= bestDistance) continue;
    bestDistance = distance;
    best = name;
  }
  return best;
}

/** Insertions, deletions and replacements between two words; `limit` if there are at least that many. */
function editDistance(left: string, right: string, limit: number): number {
  let row = Array.from({ length: right.length + 1 }, (_, place) => place);
  for (let at = 1; at <= left.length; at++) {
    const next = [at];
    let least = at;
    for (let place = 1; place <= right.length; place++) {
      const replaced = row[place - 1]! + (left[at - 1] === right[place - 1] ? 0 : 1);
      const cost = Math.min(replaced, row[place]! + 1, next[place - 1]! + 1);
      next.push(cost);
      least = Math.min(least, cost);
    }
    if (least >= limit) return limit;
    row = next;
  }
  return row[right.length]!;
}
