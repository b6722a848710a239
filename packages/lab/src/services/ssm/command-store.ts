import type { Lab } from "../../lab.ts";
import type { Collection } from "../../state/collection.ts";
import {
  instanceKey,
  invocationKey,
  isEnded,
  type CommandRecord,
  type InvocationRecord,
  type ManagedInstance,
} from "./command-record.ts";

/** Commands, their invocations and the instances they run on; and who waits for work. */
export class CommandStore {
  readonly instances: Collection<ManagedInstance>;
  readonly commands: Collection<CommandRecord>;
  readonly invocations: Collection<InvocationRecord>;
  readonly #lab: Lab;
  readonly #listeners = new Map<string, Set<() => void>>();

  constructor(lab: Lab) {
    this.#lab = lab;
    this.instances = lab.state.collection("ssm-instances");
    this.commands = lab.state.collection("ssm-commands");
    this.invocations = lab.state.collection("ssm-invocations");
  }

  /** An invocation as it is now: one that wasn't delivered or didn't end in its time is timed out. */
  invocation(commandId: string, instanceId: string): InvocationRecord | undefined {
    const stored = this.invocations.get(invocationKey(commandId, instanceId));
    const command = this.commands.get(commandId);
    if (stored === undefined || command === undefined || isEnded(stored)) return stored;
    const nowMs = this.#lab.clock.now();
    const deliverByMs = command.requestedMs + command.timeoutSeconds * 1000;
    if (stored.status === "Pending" && nowMs >= deliverByMs) {
      return this.put({
        ...stored,
        status: "TimedOut",
        statusDetails: "DeliveryTimedOut",
        endedMs: deliverByMs,
      });
    }
    // The agent ends commands that run too long; this is for agents that are gone.
    const endByMs = deliverByMs + command.executionTimeoutSeconds * 1000;
    if (stored.status !== "Pending" && nowMs >= endByMs) {
      return this.put({
        ...stored,
        status: "TimedOut",
        statusDetails: "ExecutionTimedOut",
        endedMs: endByMs,
      });
    }
    return stored;
  }

  put(invocation: InvocationRecord): InvocationRecord {
    this.invocations.put(invocationKey(invocation.commandId, invocation.instanceId), invocation);
    return invocation;
  }

  invocationsOf(command: CommandRecord): InvocationRecord[] {
    return command.instanceIds.flatMap((instanceId) => this.invocation(command.commandId, instanceId) ?? []);
  }

  /** What an instance has to be told: commands to run, and those to cancel. */
  pendingFor(key: string): InvocationRecord[] {
    const pending: InvocationRecord[] = [];
    for (const stored of this.invocations.values()) {
      if (isEnded(stored) || instanceKey(stored) !== key) continue;
      const current = this.invocation(stored.commandId, stored.instanceId);
      if (current !== undefined && (current.status === "Pending" || current.status === "Cancelling"))
        pending.push(current);
    }
    return pending.sort((left, right) => left.requestedMs - right.requestedMs);
  }

  /** Calls the listener when an instance has something new; returns how to stop that. */
  listen(key: string, listener: () => void): () => void {
    const listeners = this.#listeners.get(key) ?? new Set();
    this.#listeners.set(key, listeners);
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0) this.#listeners.delete(key);
    };
  }

  notify(key: string): void {
    for (const listener of Array.from(this.#listeners.get(key) ?? [])) listener();
  }

  isListening(key: string): boolean {
    return this.#listeners.has(key);
  }
}

const stores = new WeakMap<Lab, CommandStore>();

export function commandStoreOf(lab: Lab): CommandStore {
  let store = stores.get(lab);
  if (store === undefined) stores.set(lab, (store = new CommandStore(lab)));
  return store;
}
