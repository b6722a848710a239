import {
  chmodSync,
  closeSync,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { bootScript, detachScript, powerScript, refusingScript } from "./machine-scripts.ts";

/** Where a machine lives on the lab's disk. */
export interface MachineFolder {
  readonly root: string;
  readonly console: string;
  /** What a stand-in for shutdown or reboot leaves for the lab to read. */
  readonly powerRequest: string;
  readonly bootScript: string;
  readonly bin: string;
  readonly home: string;
  readonly tmp: string;
  readonly agentData: string;
}

export function machineFolder(dataDir: string, instanceId: string): MachineFolder {
  const root = join(dataDir, "machines", instanceId);
  return {
    root,
    console: join(root, "console.log"),
    powerRequest: join(root, "power-request"),
    bootScript: join(root, "boot.sh"),
    bin: join(root, "bin"),
    home: join(root, "home"),
    tmp: join(root, "tmp"),
    agentData: join(root, "var", "lib", "amazon", "ssm"),
  };
}

const powerCommands = ["shutdown", "poweroff", "halt", "reboot", "systemctl"];

/** Lays out the folder. What an earlier boot wrote stays: it is the same disk. */
export function layOutMachine(folder: MachineFolder, userData: string | undefined): void {
  for (const path of [folder.bin, folder.home, folder.tmp, folder.agentData])
    mkdirSync(path, { recursive: true });
  for (const path of ["opt", "srv", "var-lib"]) mkdirSync(join(folder.root, path), { recursive: true });
  rmSync(folder.powerRequest, { force: true });
  writeScript(folder.bootScript, bootScript(folder));
  for (const name of powerCommands) writeScript(join(folder.bin, name), powerScript(folder));
  for (const name of ["dnf", "yum", "modprobe"]) writeScript(join(folder.bin, name), refusingScript(name));
  writeScript(join(folder.bin, "systemd-run"), detachScript());
  const script = userData === undefined ? undefined : userScript(userData);
  const path = join(folder.root, "user-data.sh");
  // User data runs at the first boot only.
  if (script !== undefined && !existsSync(path)) writeScript(path, script);
}

function userScript(userData: string): string | undefined {
  if (userData.startsWith("#!")) return userData;
  const decoded = Buffer.from(userData, "base64").toString("utf8");
  return decoded.startsWith("#!") ? decoded : undefined;
}

function writeScript(path: string, text: string): void {
  writeFileSync(path, text);
  chmodSync(path, 0o755);
}

/** What a terminated machine leaves behind is its console. */
export function clearMachine(folder: MachineFolder): void {
  for (const name of [
    "bin",
    "home",
    "tmp",
    "var",
    "opt",
    "srv",
    "var-lib",
    "boot.sh",
    "user-data.sh",
    "power-request",
  ]) {
    rmSync(join(folder.root, name), { recursive: true, force: true });
  }
}

/** The last 64 KiB of the console. */
export function readConsole(folder: MachineFolder): string {
  if (!existsSync(folder.console)) return "";
  const descriptor = openSync(folder.console, "r");
  try {
    const { size } = fstatSync(descriptor);
    const tail = Buffer.alloc(Math.min(size, 65_536));
    readSync(descriptor, tail, 0, tail.length, size - tail.length);
    return tail.toString("utf8");
  } finally {
    closeSync(descriptor);
  }
}
