import { connect as connectPlain, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { abortError, throwIfAborted } from "@garrison/core/clock";
import { ResponseReader, type HttpAnswer } from "./response-reader.ts";

export interface ConnectionTarget {
  readonly isSecure: boolean;
  readonly host: string;
  readonly port: number;
  /** Certificates to trust; absent: the runtime's own, with what `NODE_EXTRA_CA_CERTS` adds. */
  readonly certificates?: string;
}

export interface ConnectionLimits {
  readonly connectMs: number;
  /** A connection on which nothing moves for so long is given up. */
  readonly silenceMs: number;
  /** One exchange from its first byte to its last: what drips is given up as well. */
  readonly exchangeMs: number;
  readonly idleMs: number;
  readonly mostBodyBytes: number;
}

export interface HttpRequest {
  /** Request line and headers, with the empty line behind them. */
  readonly head: string;
  readonly body?: Uint8Array;
  /** Memory for an answer's body of just that size. */
  readonly into?: Uint8Array;
}

/** What a socket does to a call, in the spelling that error translation knows. */
class ConnectionFailure extends Error {
  override readonly name = "Error";
  readonly code: string;

  constructor(code: "ECONNRESET" | "ETIMEDOUT", message: string) {
    super(message);
    this.code = code;
  }
}

interface Exchange {
  readonly resolve: (answer: HttpAnswer) => void;
  readonly reject: (error: unknown) => void;
  readonly stopWaiting: () => void;
  isSent: boolean;
  answer?: HttpAnswer;
  failure?: unknown;
}

/**
 * One connection, one exchange at a time. An exchange ends only when the socket no longer reads the request's body, so
 * the caller may use that memory again: after a failure, or an answer that came before all was sent, the end is the
 * socket's. A connection that isn't usable afterwards has closed itself.
 */
export class Connection {
  readonly #limits: ConnectionLimits;
  readonly #reader: ResponseReader;
  readonly #socket: Socket;
  readonly #connectTimer: NodeJS.Timeout;
  #exchange: Exchange | undefined;
  #isBroken = false;
  #socketError: unknown;

  /** `onIdleEnd` is called when it ends while nothing is asked of it. */
  constructor(
    target: ConnectionTarget,
    limits: ConnectionLimits,
    onIdleEnd: (connection: Connection) => void,
  ) {
    this.#limits = limits;
    this.#reader = new ResponseReader(limits);
    this.#socket = openSocket(target, {
      buffer: () => this.#reader.space(),
      callback: (length) => {
        this.#receive(length);
        return true;
      },
    });
    const late = `no connection within ${limits.connectMs} ms`;
    this.#connectTimer = setTimeout(
      () => this.#fail(new ConnectionFailure("ETIMEDOUT", late)),
      limits.connectMs,
    );
    this.#socket.once(target.isSecure ? "secureConnect" : "connect", () => clearTimeout(this.#connectTimer));
    this.#socket.on("error", (error) => (this.#socketError ??= error));
    this.#socket.on("timeout", () => this.#fall());
    this.#socket.on("end", () => this.#endOfStream());
    this.#socket.once("close", () => {
      clearTimeout(this.#connectTimer);
      const wasIdle = this.#exchange === undefined;
      this.#isBroken = true;
      this.#settle();
      if (wasIdle) onIdleEnd(this);
    });
  }

  get isUsable(): boolean {
    return !this.#isBroken && this.#exchange === undefined;
  }

  async exchange(request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> {
    throwIfAborted(signal);
    if (this.#socket.closed) throw new ConnectionFailure("ECONNRESET", "the connection had ended");
    const { exchangeMs, silenceMs } = this.#limits;
    return new Promise<HttpAnswer>((resolve, reject) => {
      const stop = (): void => this.#fail(abortError(signal));
      const late = `no whole answer within ${exchangeMs} ms`;
      const timer = setTimeout(() => this.#fail(new ConnectionFailure("ETIMEDOUT", late)), exchangeMs);
      signal.addEventListener("abort", stop, { once: true });
      const stopWaiting = (): void => {
        clearTimeout(timer);
        signal.removeEventListener("abort", stop);
      };
      this.#exchange = { resolve, reject, stopWaiting, isSent: false };
      this.#reader.expect(request.into);
      this.#socket.ref();
      this.#socket.setTimeout(silenceMs);
      this.#send(request);
    });
  }

  /** Ends it; an exchange under way fails with `reason`. */
  close(reason: unknown): void {
    this.#fail(reason);
  }

  #send({ head, body }: HttpRequest): void {
    const sent = (error?: Error | null): void => {
      // After an error the socket closes, and that settles the exchange.
      if (error || this.#exchange === undefined) return;
      this.#exchange.isSent = true;
      this.#settle();
    };
    if (body === undefined) {
      this.#socket.write(head, "latin1", sent);
      return;
    }
    this.#socket.cork();
    this.#socket.write(head, "latin1");
    this.#socket.write(body, sent);
    this.#socket.uncork();
  }

  #receive(length: number): void {
    // Bytes that nobody asked for would be taken for the next answer.
    if (this.#exchange === undefined || this.#exchange.answer !== undefined) return this.#breakOff();
    try {
      this.#take(this.#reader.advance(length));
    } catch (error) {
      this.#fail(error);
    }
  }

  #endOfStream(): void {
    const exchange = this.#exchange;
    if (exchange === undefined || exchange.answer !== undefined) return this.#breakOff();
    const when = this.#reader.isIdle ? "before an answer came" : "in the middle of an answer";
    this.#take(this.#reader.end());
    this.#fail(new ConnectionFailure("ECONNRESET", `the connection was closed ${when}`));
  }

  #take(answer: HttpAnswer | undefined): void {
    if (answer === undefined || this.#exchange === undefined) return;
    this.#exchange.answer = answer;
    if (!answer.isConnectionUsable || !this.#exchange.isSent) this.#breakOff();
    this.#settle();
  }

  #fall(): void {
    if (this.#exchange === undefined) return this.#breakOff();
    const message = `nothing moved for ${this.#limits.silenceMs} ms`;
    this.#fail(new ConnectionFailure("ETIMEDOUT", message));
  }

  #fail(error: unknown): void {
    if (this.#exchange?.answer === undefined && this.#exchange !== undefined)
      this.#exchange.failure ??= error;
    this.#breakOff();
  }

  #breakOff(): void {
    this.#isBroken = true;
    this.#socket.destroy();
    // TLS may still hand out what it has deciphered: it must not go to memory that is the caller's again.
    this.#reader.reset();
  }

  /** Ends the exchange if its end has come: an answer to what was sent whole, or a closed socket. */
  #settle(): void {
    const exchange = this.#exchange;
    if (exchange === undefined) return;
    const { answer } = exchange;
    const isDone = answer !== undefined && exchange.isSent;
    if (!isDone && !this.#socket.closed) return;
    this.#exchange = undefined;
    exchange.stopWaiting();
    if (!this.#isBroken) {
      this.#socket.setTimeout(this.#limits.idleMs);
      this.#socket.unref();
    }
    if (answer !== undefined && exchange.failure === undefined) exchange.resolve(answer);
    else
      exchange.reject(exchange.failure ?? this.#socketError ?? new ConnectionFailure("ECONNRESET", "closed"));
  }
}

interface Receiver {
  readonly buffer: () => Buffer;
  readonly callback: (length: number) => boolean;
}

/** Receives without a stream between: the socket fills the reader's own memory. */
function openSocket({ isSecure, host, port, certificates }: ConnectionTarget, onread: Receiver): Socket {
  const common = { host, port, noDelay: true, keepAlive: true, onread };
  if (!isSecure) return connectPlain(common);
  return connectTls({
    ...common,
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ...(certificates === undefined ? {} : { ca: certificates }),
    ALPNProtocols: ["http/1.1"],
  });
}
