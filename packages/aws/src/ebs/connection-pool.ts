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

/** Lends a bounded number of connections to one place; who finds none free waits in turn. */
export class ConnectionPool {
  readonly #options: ConnectionPoolOptions;
  /** Last used is last, and used first: the others may end when there is little to do. */
  readonly #idle: Connection[] = [];
  readonly #all = new Set<Connection>();
  readonly #waiting: (() => void)[] = [];
  #isClosed = false;

  constructor(options: ConnectionPoolOptions) {
    this.#options = options;
  }

  async exchange(request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> {
    const connection = await this.#take(signal);
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
    this.#all.clear();
    for (const wake of this.#waiting.splice(0)) wake();
  }

  async #take(signal: AbortSignal): Promise<Connection> {
    for (;;) {
      throwIfAborted(signal);
      if (this.#isClosed) throw closedError();
      const idle = this.#idle.pop();
      if (idle !== undefined) return idle;
      if (this.#all.size < this.#options.mostConnections) return this.#open();
      await this.#wait(signal);
    }
  }

  #open(): Connection {
    const { target, limits } = this.#options;
    const connection = new Connection(target, limits, (ended) => this.#forget(ended));
    this.#all.add(connection);
    return connection;
  }

  #giveBack(connection: Connection): void {
    if (connection.isUsable) this.#idle.push(connection);
    else this.#all.delete(connection);
    this.#waiting.shift()?.();
  }

  #forget(connection: Connection): void {
    this.#all.delete(connection);
    const place = this.#idle.indexOf(connection);
    if (place >= 0) this.#idle.splice(place, 1);
    this.#waiting.shift()?.();
  }

  #wait(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const stop = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(wake), 1);
        reject(abortError(signal));
      };
      const wake = (): void => {
        signal.removeEventListener("abort", stop);
        resolve();
      };
      this.#waiting.push(wake);
      signal.addEventListener("abort", stop, { once: true });
    });
  }
}

function closedError(): GarrisonError {
  return new GarrisonError("aborted", "the connections were closed");
}
