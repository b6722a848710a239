/** The lab as bench/ebs.ts needs it: in a process of its own, and without the quotas that would be all there is to measure. */
import { startLab } from "../packages/lab/src/start-lab.ts";

const [dataDir = ""] = process.argv.slice(2);
const unlimited = { perSecond: 1e6, burst: 1e6 };
const running = await startLab({
  dataDir,
  seed: "demo",
  ec2: {
    snapshotMs: 1,
    emptyPageShare: 0,
    getBlockPerAccount: unlimited,
    getBlockPerSnapshot: unlimited,
    putBlockPerAccount: unlimited,
    putBlockPerSnapshot: unlimited,
  },
});
process.stdout.write(`${JSON.stringify({ endpoint: running.endpoint, operators: running.operators })}\n`);
process.on("SIGTERM", () => void running.stop().then(() => process.exit(0)));
