import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  DeleteParameterCommand,
  DescribeDocumentCommand,
  GetCommandInvocationCommand,
  GetDocumentCommand,
  GetParameterCommand,
  GetParametersByPathCommand,
  GetParametersCommand,
  ListCommandsCommand,
  PutParameterCommand,
  SSMClient,
} from "@aws-sdk/client-ssm";
import { startLab, type RunningLab } from "@garrison/lab/start-lab";
import { afterAll, beforeAll, expect, test } from "vitest";

let folder: string;
let lab: RunningLab;
let ssm: SSMClient;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lab-ssm-"));
  lab = await startLab({ dataDir: folder, seed: "demo" });
  ssm = new SSMClient({
    endpoint: lab.endpoint,
    region: "eu-central-1",
    credentials: lab.operators["222222222222"]!,
  });
});

afterAll(async () => {
  await lab.stop();
  await rm(folder, { recursive: true, force: true });
});

const nameOf = (work: Promise<unknown>) =>
  work.then(
    () => "success",
    (error: Error) => error.name,
  );

test("the public image parameters name images", async () => {
  const folder = "/aws/service/ami-amazon-linux-latest";
  const Names = ["x86_64", "arm64"].map(
    (architecture) => `${folder}/al2023-ami-kernel-default-${architecture}`,
  );
  const { Parameters = [] } = await ssm.send(new GetParametersCommand({ Names }));
  expect(Parameters.map(({ Value }) => Value)).toEqual([
    expect.stringMatching(/^ami-0/),
    expect.stringMatching(/^ami-0/),
  ]);
  expect(Parameters[0]!.ARN).toBe(`arn:aws:ssm:eu-central-1::parameter${Names[0]}`);
  const byPath = await ssm.send(new GetParametersByPathCommand({ Path: folder }));
  expect(byPath.Parameters).toHaveLength(4);
});

test("own parameters are put, versioned, read and deleted", async () => {
  await ssm.send(new PutParameterCommand({ Name: "/app/one", Value: "1", Type: "String" }));
  expect(
    await nameOf(ssm.send(new PutParameterCommand({ Name: "/app/one", Value: "2", Type: "String" }))),
  ).toBe("ParameterAlreadyExists");
  await ssm.send(new PutParameterCommand({ Name: "/app/one", Value: "2", Type: "String", Overwrite: true }));
  const { Parameter } = await ssm.send(new GetParameterCommand({ Name: "/app/one" }));
  expect(Parameter).toMatchObject({ Value: "2", Version: 2, Type: "String" });
  await ssm.send(new DeleteParameterCommand({ Name: "/app/one" }));
  expect(await nameOf(ssm.send(new GetParameterCommand({ Name: "/app/one" })))).toBe("ParameterNotFound");
});

test("the shell document describes itself", async () => {
  const { Document } = await ssm.send(new DescribeDocumentCommand({ Name: "AWS-RunShellScript" }));
  expect(Document).toMatchObject({ Owner: "Amazon", DocumentType: "Command", SchemaVersion: "2.2" });
  const { Content = "" } = await ssm.send(new GetDocumentCommand({ Name: "AWS-RunShellScript" }));
  expect(JSON.parse(Content)).toHaveProperty("mainSteps");
  expect(await nameOf(ssm.send(new DescribeDocumentCommand({ Name: "No-Such" })))).toBe("InvalidDocument");
});

test("unknown commands don't exist", async () => {
  const CommandId = "11111111-2222-3333-4444-555555555555";
  expect(
    await nameOf(ssm.send(new GetCommandInvocationCommand({ CommandId, InstanceId: "i-0aaaaaaaaaaaaaaa1" }))),
  ).toBe("InvocationDoesNotExist");
  expect((await ssm.send(new ListCommandsCommand({}))).Commands).toEqual([]);
});
