import { once } from "node:events";

/**
 * Resolves when the program is asked to stop: SIGINT, SIGTERM, or with `untilStdinEnds` when standard input closes. The
 * last is how a program that another one started learns that it is alone, even if the other one was killed.
 */
export async function waitForStop(
  process: NodeJS.Process,
  options: { readonly untilStdinEnds: boolean },
): Promise<void> {
  const signals = [once(process, "SIGINT"), once(process, "SIGTERM")];
  if (!options.untilStdinEnds) return void (await Promise.race(signals));
  process.stdin.on("error", () => undefined).resume();
  await Promise.race([...signals, once(process.stdin, "close"), once(process.stdin, "end")]);
}
