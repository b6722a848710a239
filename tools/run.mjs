// The entry of `npm start`, `npm test`, `npm run check`, `npm run simulate`, `npm run fuzz` and `npm run prove`. Runs under whatever Node called npm (20 or
// newer), installs what is missing, and hands over to the Node that the project pins: the system's may be too old to run
// TypeScript.
import { createHash } from "node:crypto";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const minimumNode = [24, 12];

function lockDigest() {
  return createHash("sha256")
    .update(readFileSync(join(root, "package-lock.json")))
    .digest("hex");
}

/** Installs the locked tree once per lock file: a stamp says which lock the present tree came from. */
function installPackages() {
  const stamp = join(root, "node_modules", ".garrison-lock");
  const digest = lockDigest();
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === digest) return;
  console.log("installing npm packages (once) ...");
  const result = spawnSync("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: root,
    stdio: "inherit",
  });
  if (result.status !== 0)
    fail("npm ci failed; see above. Garrison needs the npm registry for its first start.");
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, digest);
}

function isOnPath(command) {
  return ["/usr/sbin", "/sbin", ...(process.env.PATH ?? "").split(":")].some((dir) =>
    existsSync(join(dir, command)),
  );
}

/** Debian packages by the command that shows they are there. */
const systemPackages = {
  start: { "mkfs.ext4": "e2fsprogs", debugfs: "e2fsprogs", "mkfs.btrfs": "btrfs-progs", curl: "curl" },
  test: {
    "mkfs.ext4": "e2fsprogs",
    debugfs: "e2fsprogs",
    "mkfs.btrfs": "btrfs-progs",
    curl: "curl",
    aws: "awscli",
    nbdfuse: "libnbd-bin",
    fusermount3: "fuse3",
    sfdisk: "fdisk",
  },
  check: {},
  simulate: {},
  fuzz: {},
  prove: {},
};

function installSystemPackages(task) {
  const missing = [
    ...new Set(
      Object.entries(systemPackages[task]).flatMap(([command, name]) => (isOnPath(command) ? [] : [name])),
    ),
  ];
  if (missing.length === 0) return;
  if (process.getuid?.() !== 0 || !isOnPath("apt-get")) {
    fail(
      `these programs are missing; install them and start again: ${missing.join(" ")}\n  sudo apt-get install ${missing.join(" ")}`,
    );
  }
  console.log(`installing ${missing.join(", ")} ...`);
  const environment = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const quiet = { stdio: ["ignore", "ignore", "inherit"], env: environment };
  const install = ["install", "-y", "-qq", "--no-install-recommends", ...missing];
  if (spawnSync("apt-get", install, { ...quiet, stdio: "ignore" }).status === 0) return;
  spawnSync("apt-get", ["update", "-qq"], quiet);
  if (spawnSync("apt-get", install, quiet).status !== 0)
    fail(`apt-get could not install ${missing.join(" ")}; see above`);
}

/** The Node to run on: this one when it is new enough, otherwise the pinned one from the npm tree. */
function findNode() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major > minimumNode[0] || (major === minimumNode[0] && minor >= minimumNode[1]))
    return process.execPath;
  const pinned = join(root, "node_modules", ".bin", "node");
  if (existsSync(pinned)) return pinned;
  return fail(`Node ${minimumNode.join(".")} or newer is needed, and no pinned one exists for this platform`);
}

function fail(message) {
  console.error(`garrison: ${message}`);
  process.exit(1);
}

/** What every program of ours starts with. Compiled sources are kept: a start of the appliance takes a third less time. */
function environmentFor(node) {
  return {
    NODE_COMPILE_CACHE: join(root, "node_modules", ".cache", "garrison"),
    ...process.env,
    PATH: `${dirname(node)}:${process.env.PATH}:/usr/sbin:/sbin`,
  };
}

function runStep(node, args) {
  execFileSync(node, args, { cwd: root, stdio: "inherit", env: environmentFor(node) });
}

const bin = (name) => join(root, "node_modules", name);
const steps = {
  types: [bin("typescript/bin/tsc"), "-p", "tsconfig.json"],
  lint: [bin("oxlint/bin/oxlint"), "--quiet", "packages", "test", "tools", "bench"],
  format: [bin("oxfmt/bin/oxfmt"), "--check", "packages", "test", "tools", "bench"],
};
const vitest = [bin("vitest/vitest.mjs"), "run"];

function runChecks(node, projects, extra) {
  try {
    for (const step of Object.values(steps)) runStep(node, step);
    runStep(node, [...vitest, ...projects.flatMap((name) => ["--project", name]), ...extra]);
  } catch (error) {
    process.exit(error.status ?? 1);
  }
}

function runTool(node, tool, args) {
  try {
    runStep(node, [join(root, tool), ...args]);
  } catch (error) {
    process.exit(error.status ?? 1);
  }
}

/** Proves what has changed since the checked-in proof (`--all`: everything), and writes it and the page that tells of it. */
function runProof(node, args) {
  const proof = join(root, "packages/roles/src/proof/proven.json");
  const since = args.includes("--all") || !existsSync(proof) ? [] : ["--since", proof];
  const own = args.filter((arg) => arg !== "--all");
  const entry = join(root, "packages/cli/src/main.ts");
  let status = 0;
  try {
    runStep(node, [entry, "roles", "prove", "--out", proof, ...since, ...own]);
  } catch (error) {
    status = error.status ?? 1;
  }
  if (existsSync(proof)) {
    runStep(node, [bin("oxfmt/bin/oxfmt"), "packages/roles/src/proof"]);
    runStep(node, [join(root, "tools/write-permissions-page.ts")]);
  }
  process.exit(status);
}

function startDemo(node, args) {
  const child = spawn(node, [join(root, "packages/cli/src/main.ts"), "demo", ...args], {
    cwd: root,
    stdio: "inherit",
    env: environmentFor(node),
  });
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => child.kill(signal));
  child.on("exit", (code) => process.exit(code ?? 1));
}

const [task, ...args] = process.argv.slice(2);
installPackages();
installSystemPackages(task);
const node = findNode();
if (task === "start") startDemo(node, args);
else if (task === "check") runChecks(node, ["unit"], args);
else if (task === "test") runChecks(node, ["unit", "integration", "e2e"], args);
else if (task === "simulate") runTool(node, "packages/repository/src/simulation/main.ts", args);
else if (task === "fuzz") runTool(node, "tools/fuzz.ts", args);
else if (task === "prove") runProof(node, args);
else fail(`unknown task ${task}; use start, test, check, simulate, fuzz or prove`);
