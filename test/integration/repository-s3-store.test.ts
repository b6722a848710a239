import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateBucketCommand } from "@aws-sdk/client-s3";
import { afterAll, beforeAll } from "vitest";
import { openAwsClients, type AwsClients } from "@garrison/aws/aws-clients";
import { openS3ObjectStore } from "@garrison/aws/s3-object-store";
import { systemClock } from "@garrison/core/clock";
import { systemRandom } from "@garrison/core/random";
import { startLab, type RunningLab } from "@garrison/lab/start-lab";
import { describeObjectStore } from "@garrison/repository/store/object-store-contract";
import { openRetryingObjectStore } from "@garrison/repository/store/retrying-object-store";

const region = "eu-central-1";
const bucket = "store-contract";
let folder: string;
let lab: RunningLab;
let clients: AwsClients;
let used = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "garrison-s3-store-"));
  lab = await startLab({ dataDir: folder, seed: "demo" });
  const keys = lab.operators["111111111111"]!;
  clients = openAwsClients({ region, endpoint: lab.endpoint, credentials: async () => keys });
  const location = { CreateBucketConfiguration: { LocationConstraint: region } } as const;
  await clients.s3().send(new CreateBucketCommand({ Bucket: bucket, ...location }));
});

afterAll(async () => {
  clients.close();
  await lab.stop();
  await rm(folder, { recursive: true, force: true });
});

const dependencies = { clock: systemClock, random: systemRandom };
describeObjectStore("a bucket", async () => ({
  store: openRetryingObjectStore(
    dependencies,
    openS3ObjectStore({ clients, bucket, prefix: `test-${used++}` }),
  ),
}));
