/**
 * How long `garrison roles check --all` takes for an organisation: every role of every account, asked of the lab (a process
 * of its own, enforcing IAM, refusing one IAM call in fifty for its rate) at the pace that AWS takes. Goal: 100 accounts in
 * less than 60 s, and no word of a refused call. Run: node bench/roles.ts [ACCOUNTS]
 */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { roleCatalogue } from "../packages/roles/src/role-catalogue.ts";
import type { OrganizationReport } from "../packages/roles/src/check-organization.ts";

interface Ready {
  readonly endpoint: string;
  readonly accounts: readonly string[];
  readonly keys: {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken: string;
  };
}

const [count = "100"] = process.argv.slice(2);
const externalId = "garrison-bench";
const folder = mkdtempSync(join(tmpdir(), "garrison-bench-roles-"));
const lab = spawn(
  process.execPath,
  [fileURLToPath(new URL("roles-lab.ts", import.meta.url)), join(folder, "lab"), count, externalId],
  { stdio: ["ignore", "pipe", "inherit"] },
);
try {
  const [line] = (await once(createInterface({ input: lab.stdout }), "line")) as [string];
  const ready = JSON.parse(line) as Ready;
  const file = join(folder, "accounts.txt");
  writeFileSync(file, ready.accounts.join("\n"));
  const started = performance.now();
  const done = await check(ready, file);
  const seconds = (performance.now() - started) / 1000;
  const roles = done.report.accounts.flatMap((account) => account.roles);
  const findings = roles.flatMap((role) => role.findings);
  const throttling = findings.filter(({ sentence }) => /throttl|rate exceeded/i.test(sentence)).length;
  console.log(
    `${roles.length} roles in ${done.report.accounts.length} accounts: ${done.report.verdict}, ` +
      `${findings.length} findings, ${throttling} of them about throttling, ${seconds.toFixed(1)} s ` +
      `(${(roles.length / seconds).toFixed(0)} roles a second; the check's own clock ${(done.report.durationMs / 1000).toFixed(1)} s)`,
  );
  for (const { sentence } of findings.filter(({ verdict }) => verdict !== "passed").slice(0, 3))
    console.log(sentence);
  const isMet = done.report.verdict === "passed" && throttling === 0 && seconds < 60;
  console.log(isMet ? "goal met" : "GOAL MISSED");
  process.exitCode = isMet ? 0 : 1;
} finally {
  lab.kill("SIGTERM");
  rmSync(folder, { recursive: true, force: true });
}

/** As a person would: the command itself. */
async function check({ endpoint, keys }: Ready, file: string): Promise<{ report: OrganizationReport }> {
  const garrison = fileURLToPath(new URL("../packages/cli/bin/garrison", import.meta.url));
  const inAccount = roleCatalogue.filter(({ livesIn }) => /^(production|worker-account)$/.test(livesIn));
  const roles = ["--role", ...inAccount.map(({ id }) => id)];
  const words = [
    "roles",
    "check",
    "--all",
    "--accounts",
    file,
    ...roles,
    "--external-id",
    externalId,
    "--json",
  ];
  const env = {
    PATH: process.env["PATH"],
    AWS_ENDPOINT_URL: endpoint,
    AWS_REGION: "eu-central-1",
    AWS_ACCESS_KEY_ID: keys.accessKeyId,
    AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
    AWS_SESSION_TOKEN: keys.sessionToken,
  };
  try {
    const { stdout } = await promisify(execFile)(garrison, words, { env, maxBuffer: 512 * 1024 * 1024 });
    return { report: JSON.parse(stdout) as OrganizationReport };
  } catch (error) {
    const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
    if (stdout === "") throw new Error(`the check ended without a report: ${stderr}`, { cause: error });
    return { report: JSON.parse(stdout) as OrganizationReport };
  }
}
