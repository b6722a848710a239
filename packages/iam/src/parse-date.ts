const isoForm =
  /^(\d{4})(?:-(\d{2})(?:-(\d{2})(?:T(\d{2}):(\d{2})(?::(\d{2})(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?)?)?$/;

/** A date of a condition in milliseconds: W3C's ISO 8601 forms or epoch seconds. Four digits are a year; no zone is UTC. */
export function parseDate(text: string): number | undefined {
  const iso = isoForm.exec(text.trim());
  if (iso === null) return /^-?\d+(\.\d+)?$/.test(text.trim()) ? Number(text) * 1000 : undefined;
  const [year, month, day, hour, minute, second] = [1, 2, 3, 4, 5, 6].map((place) =>
    Number(iso[place] ?? Number.NaN),
  );
  const date = Date.UTC(year ?? 0, (orElse(month, 1) - 1) | 0, orElse(day, 1));
  const isRealDate = new Date(date).getUTCMonth() === orElse(month, 1) - 1;
  const [h, m, s] = [orElse(hour, 0), orElse(minute, 0), orElse(second, 0)];
  if (!isRealDate || h > 24 || m > 59 || s > 60) return undefined;
  const fraction = iso[7] === undefined ? 0 : Number(iso[7]);
  return date + ((h * 60 + m) * 60 + s + fraction) * 1000 - zoneMs(iso[8]);
}

function orElse(value: number | undefined, fallback: number): number {
  return value === undefined || Number.isNaN(value) ? fallback : value;
}

function zoneMs(zone: string | undefined): number {
  if (zone === undefined || zone === "Z") return 0;
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(-2));
  return (zone.startsWith("-") ? -1 : 1) * minutes * 60_000;
}
