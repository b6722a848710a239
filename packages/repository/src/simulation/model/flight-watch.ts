import type { EngineLimits } from "../../backup/engine-limits.ts";
import type { SimulatedProcess } from "../world/simulated-process.ts";
import type { StoreRequest } from "../world/store-request.ts";
import { Violation } from "../world/violation.ts";

/** Reads that any of our programs has under way at once, the widest of them (`concurrency` 8, four ranges each). */
const mostCalls = 40;
/** Tries of one call: there is one layer that tries again, and nobody around it does. */
const mostTries = 8;
const smallObjectBytes = 64 * 1024;
/** Of all that we store: they differ from object to object (salts of small objects, names of packs). */
const headerBytes = 32;

interface Flight {
  readonly requests: Set<StoreRequest>;
  readonly tries: Map<string, number>;
}

/** Counts what each process has under way, against the formulas of its limits. */
export class FlightWatch {
  readonly #limits: EngineLimits;
  readonly #flights = new Map<SimulatedProcess, Flight>();

  constructor(limits: EngineLimits) {
    this.#limits = limits;
  }

  sent(process: SimulatedProcess, request: StoreRequest): void {
    const flight = this.#flights.get(process) ?? { requests: new Set(), tries: new Map() };
    this.#flights.set(process, flight);
    flight.requests.add(request);
    if (flight.requests.size > mostCalls) throw tooMany(process, `${flight.requests.size} calls`);
    if (request.method !== "create") return;
    // Other bytes are another call: a lane looks for a free number among names that may be taken.
    const call = `${request.key} ${Buffer.from(request.bytes!.subarray(0, headerBytes)).toString("latin1")}`;
    const tries = (flight.tries.get(call) ?? 0) + 1;
    flight.tries.set(call, tries);
    if (tries > mostTries) throw tooMany(process, `${tries} tries of ${request.key}`);
    if (process.role === "writer") this.#requireRoom(process, flight);
  }

  answered(process: SimulatedProcess, request: StoreRequest): void {
    this.#flights.get(process)?.requests.delete(request);
  }

  #requireRoom(process: SimulatedProcess, flight: Flight): void {
    const { packsInFlight, packBytes, mapPackBytes } = this.#limits;
    const creates = [...flight.requests].filter(({ method }) => method === "create");
    const count = (kind: string) => creates.filter(({ key }) => key.includes(kind)).length;
    const bytes = creates.reduce((sum, request) => sum + request.bytes!.length, 0);
    if (count("/pack/") > packsInFlight) throw tooMany(process, `${count("/pack/")} packs`);
    if (count("/map/") > 1) throw tooMany(process, `${count("/map/")} map packs`);
    if (count("/mark-") > 1) throw tooMany(process, `${count("/mark-")} marks`);
    const most = packsInFlight * packBytes + mapPackBytes + smallObjectBytes;
    if (bytes > most) throw tooMany(process, `${bytes} bytes`);
  }
}

function tooMany(process: SimulatedProcess, what: string): Violation {
  return new Violation(8, `${process.name} has ${what} under way`);
}
