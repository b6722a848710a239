/** One answered call, as CloudTrail would have it; `actions` are what was asked of the authoriser. */
export interface LoggedCall {
  readonly atMs: number;
  readonly requestId: string;
  readonly service: string;
  readonly operation: string;
  readonly region: string;
  readonly principalArn: string;
  readonly accessKeyId: string;
  readonly sourceIp: string;
  readonly userAgent: string;
  readonly actions: readonly string[];
  /** AWS's code, or `Unreachable` for a request that an instance's network didn't carry. */
  readonly errorCode?: string;
  /** Of a request that didn't arrive: where its way ends. */
  readonly errorDetail?: string;
}

export interface CallLog {
  add(call: LoggedCall): void;
  /** Oldest first; only the last 10,000 calls are kept, in memory. */
  entries(): readonly LoggedCall[];
  total(): number;
}

const keptCalls = 10_000;

export function openCallLog(): CallLog {
  const ring: LoggedCall[] = [];
  let total = 0;
  return {
    add(call) {
      ring[total % keptCalls] = call;
      total += 1;
    },
    entries() {
      const start = total > keptCalls ? total % keptCalls : 0;
      return [...ring.slice(start), ...ring.slice(0, start)];
    },
    total: () => total,
  };
}
