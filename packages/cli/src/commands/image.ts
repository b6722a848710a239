import type { Command } from "commander";
import type { CliContext } from "../cli-context.ts";
import { openPointVerbs, type PointVerb } from "./point-verbs.ts";
import type { ImageBackupFlags } from "../repository/backup-image.ts";
import type { ImageDiffFlags } from "../repository/diff-images.ts";
import type { ImageExpireFlags } from "../repository/expire-images.ts";
import type { ImageMountFlags } from "../repository/mount-image.ts";
import { printPoints, type ListFlags } from "../repository/print-points.ts";
import type { ImageRestoreFlags } from "../repository/restore-image.ts";
import type { ImageVerifyFlags } from "../repository/verify-image.ts";

export function register(program: Command, context: CliContext): void {
  const image = program
    .command("image")
    .description("disk images, without an appliance: back up and restore files, devices and EBS snapshots");
  const verb = openPointVerbs(image);
  registerWriting(verb, context);
  registerLooking(verb, context);
  registerExpire(verb, context);
}

function registerWriting(verb: PointVerb, context: CliContext): void {
  verb("backup", "make a restore point of an image")
    .argument("<source>", "an image file, a block device, or ebs:snap-...")
    .requiredOption("--name <name>", "what the image is called; its newest restore point is the parent")
    .option("--domain <name>", "inside which blocks are shared", "local")
    .option("--changed <file>", 'JSON lines {"offset", "length"}: only these ranges are read')
    .option(
      "--keep-locked <time>",
      "promise that nobody can delete it for so long (90d); needs S3 Object Lock",
    )
    .option("--resume <session>", "go on with a backup that was interrupted")
    .option("--concurrency <number>", "blocks under way at once")
    .option(
      "--verify-sample <number>",
      "unlisted blocks compared with the source; read in full if one differs",
    )
    .action(async (source: string, flags: ImageBackupFlags) => {
      const { backupImage } = await import("../repository/backup-image.ts");
      await backupImage(source, flags, context);
    });
  verb("restore", "write a restore point to a disk")
    .argument("<point>", "a restore point's id, or a name: then its newest")
    .requiredOption("--target <target>", "a new file, a block device, or ebs:new (a snapshot)")
    .option("--domain <name>", "the domain it is in", "local")
    .option("--volume <id>", "which volume, if the point holds several")
    .option("--in-place", "the file may exist: only blocks that differ are written")
    .option("--skip-damaged", "write zeros for what is lost, print where, exit 1")
    .action(async (point: string, flags: ImageRestoreFlags) => {
      const { restoreImage } = await import("../repository/restore-image.ts");
      await restoreImage(point, flags, context);
    });
}

function registerLooking(verb: PointVerb, context: CliContext): void {
  verb("mount", "show the files of a restore point in a folder, read-only, until it is interrupted")
    .argument("<point>", "a restore point's id, or a name: then its newest")
    .argument("<folder>", "an empty folder; made if it isn't there")
    .option("--domain <name>", "the domain it is in", "local")
    .option("--volume <id>", "which volume, if the point holds several")
    .option("--partition <number>", "which partition, if the disk has several with data")
    .option("--raw", "show the disk itself as one file; needs no root")
    .action(async (point: string, folder: string, flags: ImageMountFlags) => {
      const { mountImage } = await import("../repository/mount-image.ts");
      await mountImage(point, { ...flags, folder }, context);
    });
  verb("diff", "print where two restore points differ, as JSON lines that --changed reads")
    .argument("<before>", "a restore point's id, or a name: then its newest")
    .argument("<after>", "the same")
    .option("--domain <name>", "the domain they are in", "local")
    .option("--volume <id>", "which volume, if the points hold several")
    .action(async (before: string, after: string, flags: ImageDiffFlags) => {
      const { diffImages } = await import("../repository/diff-images.ts");
      await diffImages({ before, after }, flags, context);
    });
  verb(
    "verify",
    "read a restore point, or compare it with its source; exits 1 if something is lost or differs",
  )
    .argument("<point>", "a restore point's id, or a name: then its newest")
    .option("--sample <share>", "a share of the blocks, such as 1%; all of them otherwise")
    .option("--source <source>", "the file, device or ebs:snap-... that it was made of")
    .option("--domain <name>", "the domain it is in", "local")
    .option("--volume <id>", "which volume, if the point holds several")
    .action(async (point: string, flags: ImageVerifyFlags) => {
      const { verifyImage } = await import("../repository/verify-image.ts");
      await verifyImage(point, flags, context);
    });
  verb("list", "restore points")
    .option("--name <name>", "only of this name")
    .option("--domain <name>", "only this domain")
    .action((flags: ListFlags) => printPoints(flags, context, "image"));
}

function registerExpire(verb: PointVerb, context: CliContext): void {
  verb("expire", "end restore points by rules or by id; a prune frees their space later")
    .argument("<name|point...>", "names whose points the rules choose from, ids of points that end")
    .option("--domain <name>", "the domain they are in", "local")
    .option("--keep-last <number>", "keep so many of the newest")
    .option("--keep-hourly <number>", "keep the newest of each of so many hours")
    .option("--keep-daily <number>", "... days (UTC)")
    .option("--keep-weekly <number>", "... weeks (from Monday)")
    .option("--keep-monthly <number>", "... months")
    .option("--keep-yearly <number>", "... years")
    .option("--keep-within <time>", "keep all made so long (14d, 12h) before the newest")
    .option("--plan", "only show what would end, and why the rest stays")
    .action(async (wanted: readonly string[], flags: ImageExpireFlags) => {
      const { expireImages } = await import("../repository/expire-images.ts");
      await expireImages(wanted, flags, context);
    });
}
