import { PassThrough } from "node:stream";
import { Command } from "commander";
import { describe, expect, it } from "vitest";
import type { CliContext } from "../cli-context.ts";
import { register } from "../commands/roles.ts";

/** What `garrison roles ...` prints, and what it says besides. */
async function run(
  ...args: readonly string[]
): Promise<{ readonly stdout: string; readonly stderr: string }> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const context = { stdout, stderr, environment: {}, setExitCode: () => undefined } as unknown as CliContext;
  const program = new Command().exitOverride();
  register(program, context);
  await program.parseAsync(["roles", ...args], { from: "user" });
  const read = (stream: PassThrough) => (stream.read() as Buffer | null)?.toString() ?? "";
  return { stdout: read(stdout), stderr: read(stderr) };
}

describe("roles export", () => {
  it("writes the worker role's 33 actions and EC2's trust, and warns of the compatible form", async () => {
    const { stderr, stdout } = await run("export", "worker", "--form", "compatible", "--format", "json");
    const [role] = (JSON.parse(stdout) as { roles: [Record<"trust" | "inlinePolicies", never>] }).roles;
    expect(role.inlinePolicies).toMatchObject([{ document: { Statement: [{ Resource: ["*"] }] } }]);
    const [{ document }] = role.inlinePolicies as unknown as [
      { document: { Statement: [{ Action: string[] }] } },
    ];
    expect(new Set(document.Statement[0].Action).size).toBe(33);
    expect(role.trust).toMatchObject({
      Statement: [
        { Sid: "GarrisonAppliance" },
        { Effect: "Allow", Principal: { Service: "ec2.amazonaws.com" }, Action: "sts:AssumeRole" },
      ],
    });
    expect(stderr).toContain("SecureString");
  });

  it("writes planned rights of a working role only when they are asked for", async () => {
    const bare = await run("export", "restore-ec2", "--production-account", "222222222222");
    expect(bare.stdout).not.toContain("ec2:AttachVolume");
    const whole = await run("export", "restore-ec2", "--with-planned");
    expect(whole.stdout).toContain("ec2:AttachVolume");
    const planned = await run("export", "backup-efs");
    expect(planned.stdout).toContain("backup:StartBackupJob");
    expect(planned.stderr).toContain("its rights are planned");
  });

  it("asks by parameter in a template, and then has nothing to be replaced by hand", async () => {
    const { stderr, stdout } = await run("export", "worker", "--format", "stackset");
    expect(Object.keys((JSON.parse(stdout) as { Parameters: object }).Parameters)).toContain("ExternalId");
    expect(stderr).toBe("");
    expect((await run("export", "worker")).stderr).toContain("Replace EXTERNAL_ID");
  });

  it("names the formats that it knows", async () => {
    await expect(run("export", "worker", "--format", "yaml")).rejects.toThrow(
      /--format is yaml; it takes json/,
    );
  });
});

describe("roles diff and roles compare", () => {
  it("print for people, and one object for programs", async () => {
    expect((await run("diff", "HEAD", "HEAD")).stdout).toContain("ask for the same rights");
    const { stdout } = await run("diff", "0.1.0", "--json");
    expect(JSON.parse(stdout)).toMatchObject({ from: "0.1.0", to: "HEAD" });
    expect((await run("compare", "prior-art")).stdout).toContain("published lists");
    const comparison = JSON.parse((await run("compare", "prior-art", "--json")).stdout) as {
      roles: object[];
    };
    expect(comparison.roles).toHaveLength(13);
  });
});
