import { setImmediate as loopTurn } from "node:timers/promises";
import { abortError, throwIfAborted } from "@garrison/core/clock";
import { GarrisonError } from "@garrison/core/garrison-error";
import { Connection, type ConnectionLimits, type ConnectionTarget, type HttpRequest } from "./connection.ts";
import type { HttpAnswer } from "./response-reader.ts";

export interface ConnectionPoolOptions {
  readonly target: ConnectionTarget;
  readonly limits: ConnectionLimits;
  readonly mostConnections: number;
}

interface Waiter {
  readonly begin: (connection: Connection) => void;
  readonly fail: (error: unknown) => void;
}

/** Lends a bounded number of connections to one place; who finds none free waits in turn. */
export class ConnectionPool {
  readonly #options: ConnectionPoolOptions;
  /** Last used is last, and used first: the others may end when there is little to do. */
  readonly #idle: Connection[] = [];
  readonly #all = new Set<Connection>();
  readonly #waiting: Waiter[] = [];
  #isClosed = false;

  constructor(options: ConnectionPoolOptions) {
    this.#options = options;
  }

  async exchange(request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> {
    throwIfAborted(signal);
    if (this.#isClosed) throw closedError();
    const connection = this.#takeAtOnce() ?? (await this.#wait(signal));
    try {
      const answer = await connection.exchange(request, signal);
      // What else lies in the socket is seen first: it would be taken for the answer to the next request.
      await loopTurn();
      return answer;
    } finally {
      this.#giveBack(connection);
    }
  }

  close(): void {
    this.#isClosed = true;
    for (const connection of this.#all) connection.close(closedError());
    for (const { fail } of this.#waiting.splice(0)) fail(closedError());
  }

  #takeAtOnce(): Connection | undefined {
    for (let idle = this.#idle.pop(); idle !== undefined; idle = this.#idle.pop())
      if (idle.isUsable) return idle;
    return this.#all.size < this.#options.mostConnections ? this.#open() : undefined;
  }

  #open(): Connection {
    const { target, limits } = this.#options;
    const connection = new Connection(target, limits, (ended) => this.#forget(ended));
    this.#all.add(connection);
    return connection;
  }

  /** To who waits longest, or a new one in its place when it is of no more use. */
  #giveBack(connection: Connection): void {
    if (!connection.isUsable) this.#all.delete(connection);
    if (this.#isClosed) return;
    const next = this.#waiting.shift();
    if (next !== undefined) next.begin(connection.isUsable ? connection : this.#open());
    else if (connection.isUsable) this.#idle.push(connection);
  }

  #forget(connection: Connection): void {
    this.#all.delete(connection);
    const place = this.#idle.indexOf(connection);
    if (place >= 0) this.#idle.splice(place, 1);
  }

  #wait(signal: AbortSignal): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const stop = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
        reject(abortError(signal));
      };
      const waiter: Waiter = {
        begin: (connection) => {
          signal.removeEventListener("abort", stop);
          resolve(connection);
        },
        fail: (error) => {
          signal.removeEventListener("abort", stop);
          reject(error);
        },
      };
      this.#waiting.push(waiter);
      signal.addEventListener("abort", stop, { once: true });
    });
  }
}

function closedError(): GarrisonError {
  return new GarrisonError("aborted", "the connections were closed");
}
