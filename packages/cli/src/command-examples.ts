import type { Command } from "commander";

/** What a person would type, by noun and verb; shown at the end of `--help`. */
export const commandExamples: Readonly<Record<string, readonly string[]>> = {
  demo: ["garrison demo --once", "garrison demo --data /tmp/garrison --root-files 64"],
  "lab start": ["garrison lab start", "garrison lab start --port 0 --data /tmp/lab --seed none --json"],
  "iam evaluate": ["garrison iam evaluate case.json", "cat cases.json | garrison iam evaluate - --json"],
  "iam lint": [
    "garrison iam lint policy.json trust.json",
    "garrison iam lint --kind scp guardrails/*.json --json",
    "cat roles.json | garrison iam lint - --strict",
  ],
  "roles list": ["garrison roles list"],
  "roles show": ["garrison roles show worker"],
  "roles export": [
    "garrison roles export worker --form compatible --format json",
    "garrison roles export backup-ec2 restore-ec2 worker --with-workers-in-production --backup-account 111111111111 \\\n      --production-account 222222222222 --external-id OUR-ID --format cloudformation > roles.json",
    "garrison roles export backup-ec2 restore-ec2 worker --with-workers-in-production --backup-account 111111111111 \\\n      --external-id OUR-ID --format stackset > stack-set.json",
    "garrison roles export worker --format terraform > garrison-roles.tf",
  ],
  "roles diff": ["garrison roles diff 0.1.0", "garrison roles diff 0.1.0 HEAD --json"],
  "roles compare": ["garrison roles compare prior-art"],
  "roles check": [
    "garrison roles check arn:aws:iam::222222222222:role/garrison-backup-ec2 --operation ec2.image-backup \\\n      --external-id OUR-ID --installation 0123abcd",
    "garrison roles check --all --junit roles.xml",
    "garrison roles check --all --accounts accounts.txt --role backup-ec2 worker --external-id OUR-ID",
  ],
  "roles prove": [
    "garrison roles prove",
    "garrison roles prove ec2.image-backup --form scoped --scenario backup --action ec2:CreateTags sqs:SendMessage",
  ],
  "roles create": [
    "garrison roles create worker --backup-account 111111111111 --production-account 222222222222 --external-id OUR-ID",
  ],
  "roles repair": [
    "garrison roles repair arn:aws:iam::222222222222:role/garrison-worker --backup-account 111111111111 --external-id OUR-ID",
  ],
  "roles drift": [
    "garrison roles drift",
    "garrison roles drift arn:aws:iam::222222222222:role/garrison-worker --json",
  ],
  "roles undo": ["garrison roles undo garrison-undo-garrison-worker-20261125040000.json"],
  "repository init": [
    "garrison repository init file:///backup",
    "garrison repository init s3://bucket/prefix?region=eu-central-1 --password-file password.txt",
  ],
  "repository keys": [
    "garrison repository keys file:///backup",
    "garrison repository keys file:///backup add --label operations --new-password-file new.txt",
    "garrison repository keys file:///backup add --kms-key arn:aws:kms:eu-central-1:111111111111:key/KEY-ID",
    "garrison repository keys file:///backup rotate --also-password-file second.txt --drop 0123456789abcdef --plan",
    "garrison repository keys file:///backup export --escrow-file sheet.txt",
    "garrison repository keys file:///backup import --sheet sheet.txt",
  ],
  "repository status": ["garrison repository status file:///backup"],
  "repository list": ["garrison repository list file:///backup --json"],
  "repository locks": [
    "garrison repository locks s3://bucket/prefix",
    "garrison repository locks s3://bucket/prefix --extend --json",
  ],
  "repository check": [
    "garrison repository check file:///backup",
    "garrison repository check file:///backup --level sample --sample 5%",
    "garrison repository check s3://bucket/prefix --budget 100GiB,2h --max-age 30d",
  ],
  "repository repair": [
    "garrison repository repair file:///backup --plan",
    "garrison repository repair file:///backup",
  ],
  "repository prune": [
    "garrison repository prune file:///backup --plan",
    "garrison repository prune file:///backup --grace 14d --json",
  ],
  "image backup": [
    "garrison image backup disk.img --repository file:///backup --name db",
    "garrison image backup disk.img --repository file:///backup --name db --changed ranges.jsonl",
    "garrison image backup ebs:snap-0123456789abcdef0 --repository s3://bucket/prefix --name db",
    "garrison image backup disk.img --repository s3://bucket/prefix --name db --keep-locked 90d",
  ],
  "image restore": [
    "garrison image restore db --repository file:///backup --target restored.img",
    "garrison image restore 006b04ee78bef53e --repository file:///backup --target /dev/sdb --in-place",
    "garrison image restore db --repository file:///backup --target half.img --skip-damaged",
  ],
  "image verify": [
    "garrison image verify db --repository file:///backup",
    "garrison image verify db --repository file:///backup --sample 1% --source ebs:snap-0123456789abcdef0",
  ],
  "image mount": [
    "garrison image mount db /mnt --repository file:///backup",
    "garrison image mount 006b04ee78bef53e /mnt --repository file:///backup --partition 2",
    "garrison image mount db disk --repository file:///backup --raw",
  ],
  "image diff": ["garrison image diff 006b04ee78bef53e db --repository file:///backup > ranges.jsonl"],
  "image list": ["garrison image list --repository file:///backup --name db"],
  "image expire": [
    "garrison image expire db --repository file:///backup --keep-daily 7 --keep-weekly 4 --keep-monthly 12 --plan",
    "garrison image expire 006b04ee78bef53e --repository file:///backup",
  ],
  "stream backup": [
    "garrison stream backup --name db --repository file:///backup -- pg_dump --format plain db",
    "mysqldump db | garrison stream backup --name db --repository s3://bucket/prefix",
  ],
  "stream restore": [
    "garrison stream restore db --repository file:///backup | psql db",
    "garrison stream restore 006b04ee78bef53e --repository file:///backup --target db.sql",
  ],
  "stream list": ["garrison stream list --repository file:///backup --name db"],
  serve: ["garrison serve", "garrison serve --port 8080 --data /var/lib/garrison"],
  "accounts add": [
    "garrison accounts add 222222222222 --name production --region eu-central-1 --external-id OUR-ID \\\n      --backup-role arn:aws:iam::222222222222:role/garrison-backup-ec2 --worker-role arn:aws:iam::222222222222:role/garrison-worker",
  ],
  "accounts list": ["garrison accounts list"],
  "repositories add": [
    "garrison repositories add s3://bucket/prefix?region=eu-central-1 --name main --role arn:aws:iam::111111111111:role/garrison-repository",
  ],
  "repositories list": ["garrison repositories list"],
  "resources list": ["garrison resources list --rescan"],
  "workers test": [
    "garrison workers test --account 222222222222 --region eu-central-1 --subnet subnet-0123456789abcdef0",
  ],
  "backup run": [
    "garrison backup run --resource arn:aws:ec2:eu-central-1:222222222222:instance/i-0123456789abcdef0 --wait",
  ],
  "restore instance": ["garrison restore instance 006b04ee78bef53e --name restored --wait"],
  "runs list": ["garrison runs list --json"],
  "runs show": ["garrison runs show run-0123456789abcdef"],
  "runs cancel": ["garrison runs cancel run-0123456789abcdef"],
  "points list": ["garrison points list"],
  sweep: ["garrison sweep --plan", "garrison sweep"],
};

/** Puts the examples under the help of the commands that they show. */
export function addExamples(program: Command, path: readonly string[] = []): void {
  for (const command of program.commands) {
    const words = [...path, command.name()];
    const examples = commandExamples[words.join(" ")];
    if (examples !== undefined) {
      command.addHelpText("after", ["\nExamples:", ...examples.map((line) => `  ${line}`)].join("\n"));
    }
    addExamples(command, words);
  }
}
