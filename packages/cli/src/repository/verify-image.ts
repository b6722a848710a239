import { formatSize } from "@garrison/core/units";
import type { BlockSource } from "@garrison/repository/disk/block-source";
import { formatSpans } from "@garrison/repository/repair/block-runs";
import { verifyPoint, type VerifiedPoint } from "@garrison/repository/verify/verify-point";
import type { CliContext } from "../cli-context.ts";
import { chooseVolume, findPoint } from "./find-point.ts";
import { openBackupSource } from "./open-backup-source.ts";
import { openNamedRepository, type RepositoryFlags } from "./open-named-repository.ts";
import { parseShare } from "./parse-share.ts";
import { requireKind } from "./require-kind.ts";

export interface ImageVerifyFlags extends RepositoryFlags {
  readonly domain: string;
  readonly volume?: string;
  readonly sample?: string;
  readonly source?: string;
  readonly json?: true;
}

/**
 * Reads one restore point, or a sample of it; with `--source` compares it with the disk that it was made of instead. Exit
 * code 1 when something is lost or differs.
 */
export async function verifyImage(
  point: string,
  flags: ImageVerifyFlags,
  context: CliContext,
): Promise<void> {
  const share = flags.sample === undefined ? {} : { share: parseShare(flags.sample, "--sample") };
  using opened = await openNamedRepository(flags, context);
  const { store, repository } = opened;
  const keys = repository.domainKeys(flags.domain);
  const found = await findPoint({ store, keys, point }, context);
  requireKind(found, "image");
  const { volumeId } = chooseVolume(found, flags.volume);
  const sessionKeys = (session: string, epoch: number) =>
    repository.sessionDataKey(flags.domain, session, epoch);
  const source = await openSource(flags.source, context);
  try {
    const verified = await verifyPoint(
      { store, keys, sessionKeys, random: context.random },
      {
        series: found.series,
        point: found.sessionId,
        volumeId,
        ...share,
        ...(source === undefined ? {} : { source }),
      },
      context,
    );
    if (verified.lost.length + verified.differing.length > 0) context.setExitCode(1);
    const about = { point: found.sessionId, name: found.name, volumeId };
    context.stdout.write(
      flags.json === true
        ? `${JSON.stringify({ ...about, ...verified })}\n`
        : format(verified, { ...about, source: flags.source }),
    );
  } finally {
    await source?.close();
  }
}

async function openSource(name: string | undefined, context: CliContext): Promise<BlockSource | undefined> {
  if (name === undefined) return undefined;
  const { source } = await openBackupSource({ source: name, parent: undefined }, context);
  return source;
}

function format(
  verified: VerifiedPoint,
  about: { readonly point: string; readonly name: string; readonly source: string | undefined },
): string {
  const { blocksVerified, bytesRead, lost, differing } = verified;
  const done =
    about.source === undefined
      ? `opened ${blocksVerified} blocks, read ${formatSize(bytesRead)}`
      : `compared ${blocksVerified} blocks with ${about.source}`;
  const lines = [
    `${about.point}  ${about.name}: ${done}`,
    ...(lost.length === 0 ? [] : [`lost: bytes ${formatSpans(lost, Infinity)}`]),
    ...(differing.length === 0 ? [] : [`differs from the source: bytes ${formatSpans(differing, Infinity)}`]),
    lost.length + differing.length === 0 ? "intact" : "damaged",
  ];
  return `${lines.join("\n")}\n`;
}
