import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { appendFileSync, closeSync, existsSync, openSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Lab } from "../lab.ts";
import { forgetManagedInstance } from "../services/ssm/managed-instances.ts";
import type { Collection } from "../state/collection.ts";
import { findConnectionOwner } from "./connection-owner.ts";
import type { Connection, MachineDescription, MachineHost, PowerOffKind } from "./machine-host.ts";
import {
  clearMachine,
  layOutMachine,
  machineFolder,
  readConsole,
  type MachineFolder,
} from "./machine-folder.ts";
import { openMetadataService, type MetadataService } from "./metadata-service.ts";
import {
  findMarkedProcesses,
  identifyProcess,
  killProcess,
  type ProcessIdentity,
} from "./process-identity.ts";

export interface MachineHostOptions {
  /** `auto`: each machine gets its own PID and mount namespace where the lab may make them. */
  readonly namespaces?: "auto" | "off";
  /** How long the agent sleeps after a denied first ping (default: the public agent's five minutes). */
  readonly agentHibernationMs?: number;
  readonly agentHeartbeatMs?: number;
}

/** What the journal knows of a machine that runs. */
interface MachineRecord {
  readonly machine: MachineDescription;
  readonly process?: ProcessIdentity;
  readonly namespaces: boolean;
}

interface RunningMachine {
  readonly record: MachineRecord;
  readonly child: ChildProcess;
  readonly metadata: MetadataService;
}

/** Opens the host. Machines of an earlier lab process have ended with it; they are reported as lost. */
export function openMachineHost(lab: Lab, options: MachineHostOptions = {}): MachineHost {
  return new HostMachines(lab, options);
}

class HostMachines implements MachineHost {
  currentTags: MachineHost["currentTags"] = (instanceId) => this.#records.get(instanceId)?.machine.tags ?? {};
  readonly #lab: Lab;
  readonly #options: MachineHostOptions;
  readonly #records: Collection<MachineRecord>;
  readonly #running = new Map<string, RunningMachine>();
  readonly #namespaces: boolean;
  #lost: string[] = [];
  #onPowerOff: MachineHost["onPowerOff"] | undefined;
  #closed = false;

  constructor(lab: Lab, options: MachineHostOptions) {
    this.#lab = lab;
    this.#options = options;
    this.#records = lab.state.collection("machines");
    this.#namespaces = options.namespaces !== "off" && canMakeNamespaces();
    for (const [instanceId, record] of Array.from(this.#records.entries())) {
      killRemains(record, markerOf(lab, instanceId));
      forgetManagedInstance(lab, record.machine);
      this.#records.delete(instanceId);
      this.#lost.push(instanceId);
    }
  }

  get onPowerOff(): MachineHost["onPowerOff"] {
    return this.#onPowerOff ?? (() => undefined);
  }

  /** Whoever sets it hears at once of the machines that an earlier lab process left. */
  set onPowerOff(listener: MachineHost["onPowerOff"]) {
    this.#onPowerOff = listener;
    const lost = this.#lost;
    this.#lost = [];
    for (const instanceId of lost) listener(instanceId, "lost");
  }

  boot(machine: MachineDescription): void {
    if (this.#closed || this.#records.has(machine.instanceId)) return;
    this.#records.put(machine.instanceId, { machine, namespaces: this.#namespaces });
    this.#start(machine).catch((error: unknown) => this.#failed(machine.instanceId, error));
  }

  #failed(instanceId: string, error: unknown): void {
    this.#lab.logger.error({ instanceId, error: String(error) }, "a machine could not be started");
    const folder = this.#folder(instanceId);
    if (existsSync(folder.root))
      appendFileSync(folder.console, `the machine could not be started: ${String(error)}\n`);
    this.#end(instanceId, "lost");
  }

  async #start(machine: MachineDescription): Promise<void> {
    const { instanceId } = machine;
    const folder = this.#folder(instanceId);
    layOutMachine(folder, machine.userData);
    const metadata = await openMetadataService(this.#lab, {
      machine,
      userData: machine.userData,
      currentTags: () => this.currentTags(instanceId),
    });
    // It may have been terminated while its metadata service was opened.
    if (!this.#records.has(instanceId)) return metadata.close();
    const child = this.#spawn(machine, folder, metadata.endpoint);
    const identity = child.pid === undefined ? undefined : identifyProcess(child.pid);
    const record: MachineRecord = {
      machine,
      namespaces: this.#namespaces,
      ...(identity ? { process: identity } : {}),
    };
    this.#records.put(instanceId, record);
    this.#running.set(instanceId, { record, child, metadata });
    child.once("error", (error) => this.#failed(instanceId, error));
    child.once("exit", () => this.#exited(instanceId, child));
  }

  #spawn(machine: MachineDescription, folder: MachineFolder, metadataEndpoint: string): ChildProcess {
    const console = openSync(folder.console, "a");
    const unshare = ["--pid", "--mount", "--fork", "--kill-child=SIGKILL", "--mount-proc", "--", "/bin/sh"];
    try {
      return spawn(
        this.#namespaces ? "unshare" : "/bin/sh",
        [...(this.#namespaces ? unshare : []), folder.bootScript],
        {
          cwd: folder.root,
          detached: true,
          env: this.#environment(machine, folder, metadataEndpoint),
          stdio: ["pipe", console, console],
        },
      );
    } finally {
      closeSync(console);
    }
  }

  #environment(
    machine: MachineDescription,
    folder: MachineFolder,
    metadataEndpoint: string,
  ): Record<string, string> {
    const { agentHibernationMs = 300_000, agentHeartbeatMs = 300_000 } = this.#options;
    const [markerName = "", markerValue = ""] = markerOf(this.#lab, machine.instanceId).split("=");
    return {
      AWS_ENDPOINT_URL: this.#lab.endpoint(),
      AWS_EC2_METADATA_SERVICE_ENDPOINT: metadataEndpoint,
      AWS_REGION: machine.region,
      HOME: folder.home,
      TMPDIR: folder.tmp,
      // Without a mount namespace /opt is the host's: what wants to live there gets a place in the machine's folder.
      ...(this.#namespaces ? {} : { GARRISON_WORKER_FOLDER: join(folder.root, "opt") }),
      LANG: "C.UTF-8",
      PATH: `${folder.bin}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
      [markerName]: markerValue,
      GARRISON_LAB_MACHINE: machine.instanceId,
      GARRISON_LAB_NAMESPACES: this.#namespaces ? "1" : "0",
      GARRISON_LAB_BINDS: bindsFor([folder.root, process.execPath, agentProgram, process.cwd()]).join(" "),
      GARRISON_LAB_NODE: process.execPath,
      GARRISON_LAB_AGENT: agentProgram,
      GARRISON_LAB_AGENT_DATA: folder.agentData,
      GARRISON_LAB_AGENT_HIBERNATION_MS: String(agentHibernationMs),
      GARRISON_LAB_AGENT_HEARTBEAT_MS: String(agentHeartbeatMs),
    };
  }

  #exited(instanceId: string, child: ChildProcess): void {
    if (this.#running.get(instanceId)?.child !== child) return;
    const folder = this.#folder(instanceId);
    const request = existsSync(folder.powerRequest)
      ? readFileSync(folder.powerRequest, "utf8").trim()
      : "lost";
    const { machine } = this.#records.get(instanceId)!;
    this.#clear(instanceId);
    if (request === "reboot") this.boot(machine);
    else this.#end(instanceId, request === "shutdown" ? "shutdown" : "lost");
  }

  #end(instanceId: string, kind: PowerOffKind): void {
    this.#clear(instanceId);
    if (this.#closed) return;
    if (this.#onPowerOff === undefined) this.#lost.push(instanceId);
    else this.#onPowerOff(instanceId, kind);
  }

  terminate(instanceId: string): void {
    if (!this.#records.has(instanceId)) return;
    this.#clear(instanceId);
    clearMachine(this.#folder(instanceId));
  }

  /** Kills whatever runs of the machine and forgets it. */
  #clear(instanceId: string): void {
    const running = this.#running.get(instanceId);
    this.#running.delete(instanceId);
    running?.metadata.close();
    running?.child.stdin?.destroy();
    const record = this.#records.get(instanceId);
    if (record === undefined) return;
    killRemains(running?.record ?? record, markerOf(this.#lab, instanceId));
    forgetManagedInstance(this.#lab, record.machine);
    this.#records.delete(instanceId);
  }

  consoleOutput(instanceId: string): string {
    return readConsole(this.#folder(instanceId));
  }

  isRunning(instanceId: string): boolean {
    return this.#records.has(instanceId);
  }

  findCaller(connection: Connection): string | undefined {
    if (this.#running.size === 0) return undefined;
    return findConnectionOwner(markerOf(this.#lab, ""), connection);
  }

  announceSpotInterruption(instanceId: string, action: string): void {
    this.#running.get(instanceId)?.metadata.announceSpotInterruption(action);
  }

  /** The lab stops: machines end, and stay in the journal, so that the next start reports them as lost. */
  async close(): Promise<void> {
    this.#closed = true;
    const ended = [...this.#running.entries()].map(([instanceId, { record, child, metadata }]) => {
      const gone =
        child.exitCode !== null ||
        child.signalCode !== null ||
        new Promise((resolve) => child.once("exit", resolve));
      metadata.close();
      child.stdin?.destroy();
      killRemains(record, markerOf(this.#lab, instanceId));
      return gone;
    });
    this.#running.clear();
    await Promise.all(ended);
  }

  #folder(instanceId: string): MachineFolder {
    return machineFolder(this.#lab.settings.dataDir, instanceId);
  }
}

const agentProgram = fileURLToPath(new URL("agent/main.ts", import.meta.url));

function markerOf(lab: Lab, instanceId: string): string {
  return `GARRISON_LAB_MACHINE_OF=${lab.settings.dataDir.replaceAll("=", "_")}/${instanceId}`;
}

/** Ends a machine's processes: its namespace dies with `unshare`; without one, its group and whatever left the group. */
function killRemains({ process: known, namespaces }: MachineRecord, marker: string): void {
  if (known !== undefined) killProcess(known, "group");
  if (namespaces) return;
  for (const stray of findMarkedProcesses(marker)) killProcess(stray, "process");
}

function canMakeNamespaces(): boolean {
  if (process.getuid?.() !== 0) return false;
  return (
    spawnSync("unshare", ["--pid", "--mount", "--fork", "--mount-proc", "true"], { stdio: "ignore" })
      .status === 0
  );
}

// Folders that programs on a machine write to, each with what stands in for it in the machine's folder.
const privateFolders: Readonly<Record<string, string>> = {
  "/opt": "opt",
  "/srv": "srv",
  "/var/lib": "var-lib",
  "/tmp": "tmp",
};

/** The private folders that can be mounted without hiding what the machine itself needs. */
function bindsFor(needed: readonly string[]): string[] {
  const home = homedir();
  const candidates = home === "/root" ? { ...privateFolders, "/root": "home" } : privateFolders;
  return Object.entries(candidates)
    .filter(([target]) => existsSync(target) && !needed.some((path) => path.startsWith(`${target}/`)))
    .map(([target, source]) => `${source}:${target}`);
}
