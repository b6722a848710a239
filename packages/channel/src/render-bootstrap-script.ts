import { GarrisonError } from "@garrison/core/garrison-error";
import { minuteMs } from "@garrison/core/units";
import { channelQueueNames } from "./queue-names.ts";
import { workerConfigSchema, type WorkerConfig } from "./worker-config.ts";

export interface BootstrapRequest {
  /** A presigned address; it may be fetched several times. */
  readonly bundleUrl: string;
  /** Hex. */
  readonly bundleSha256: string;
  readonly installation: string;
  readonly worker: string;
  readonly run: string;
  readonly region: string;
  readonly appliance: WorkerConfig["appliance"];
  readonly deadlineMs: number;
  /** Default five minutes. */
  readonly silenceMs?: number;
  /** Default 500: half of what AWS allows an account. */
  readonly blockCallsPerSecond?: number;
}

const defaultSilenceMs = 5 * minuteMs;
const defaultBlockCallsPerSecond = 500;

/**
 * The Run Command script that turns a fresh Amazon Linux instance into a worker: fetches and verifies the bundle, makes
 * the worker's keys, prints their public half (`parseAnnouncement`) and leaves the worker running detached, since a
 * program in the foreground would die at the command's time-out. Running it again is harmless: same keys, one worker.
 * Plain POSIX sh with curl, sha256sum, tar, gzip and coreutils' timeout. Holds nothing secret.
 */
export function renderBootstrapScript(request: BootstrapRequest): string {
  const config = workerConfigSchema.safeParse({
    installation: request.installation,
    worker: request.worker,
    run: request.run,
    region: request.region,
    queuePrefix: channelQueueNames(request).prefix,
    appliance: request.appliance,
    deadlineMs: request.deadlineMs,
    silenceMs: request.silenceMs ?? defaultSilenceMs,
    blockCallsPerSecond: request.blockCallsPerSecond ?? defaultBlockCallsPerSecond,
  });
  if (!config.success || !/^[0-9a-f]{64}$/.test(request.bundleSha256) || !URL.canParse(request.bundleUrl)) {
    throw new GarrisonError("usage", `worker ${request.worker} can't be bootstrapped with these values`, {
      cause: config.error,
    });
  }
  return script(request, config.data);
}

/** The bundle unpacks to `node`, `worker.mjs` and what that loads. */
function script(request: BootstrapRequest, config: WorkerConfig): string {
  return `#!/bin/sh
set -eu
umask 077
worker=${quote(config.worker)}
url=${quote(new URL(request.bundleUrl).href)}
sha256=${quote(request.bundleSha256)}
deadline=${Math.ceil(config.deadlineMs / 1000)}

fail() { echo "garrison bootstrap: $1" >&2; exit 1; }

folder=
for candidate in "\${GARRISON_WORKER_FOLDER:-/opt/garrison}" "\${TMPDIR:-/tmp}/garrison"; do
  if mkdir -p "$candidate/$worker" 2>/dev/null && [ -w "$candidate/$worker" ]; then
    folder=$candidate/$worker
    break
  fi
done
[ -n "$folder" ] || fail "no folder can be written"
cd "$folder"

if [ ! -x "$sha256/node" ]; then
  tries=0
  until curl --fail --silent --show-error --connect-timeout 5 --max-time 120 --output bundle.tar.gz "$url" &&
    echo "$sha256  bundle.tar.gz" | sha256sum -c - >/dev/null 2>&1; do
    tries=$((tries + 1))
    [ "$tries" -lt 5 ] || fail "the bundle can't be fetched, or its SHA-256 is not $sha256"
    sleep "$tries"
  done
  rm -rf unpacking
  mkdir unpacking
  tar -xzf bundle.tar.gz -C unpacking || fail "the bundle can't be unpacked"
  rm -f bundle.tar.gz
  mv unpacking "$sha256"
fi

cat > worker.json.new <<'CONFIG'
${JSON.stringify(config, undefined, 1)}
CONFIG
mv worker.json.new worker.json

"./$sha256/node" "./$sha256/worker.mjs" keygen "$folder" || fail "the worker's keys can't be made"

# The worker's end, however it comes, is the instance's end: shutting down terminates it.
cat > run.sh.new <<RUN
#!/bin/sh
cd "$folder"
left=\\$(($deadline - \\$(date +%s)))
[ "\\$left" -gt 0 ] && timeout -k 30 "\\$left" "./$sha256/node" "./$sha256/worker.mjs" run "$folder" >> worker.log 2>&1
echo "garrison worker $worker ended with \\$?" >> worker.log
shutdown -h now
RUN
mv run.sh.new run.sh

# flock keeps a repeated command from starting a second worker.
if [ "$(cat /proc/1/comm 2>/dev/null)" = systemd ] && [ -d /run/systemd/system ]; then
  settings=
  for name in AWS_ENDPOINT_URL AWS_EC2_METADATA_SERVICE_ENDPOINT HTTPS_PROXY NO_PROXY NODE_EXTRA_CA_CERTS; do
    eval "value=\\\${$name:-}"
    [ -z "$value" ] || settings="$settings --setenv=$name=$value"
  done
  systemctl is-active --quiet "garrison-worker-$worker" ||
    systemd-run --quiet --collect --unit "garrison-worker-$worker" $settings --setenv="PATH=$PATH" \\
      flock -n "$folder/run.lock" sh "$folder/run.sh" || fail "systemd does not start the worker"
else
  setsid nohup flock -n "$folder/run.lock" sh "$folder/run.sh" </dev/null >/dev/null 2>&1 &
fi
`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
