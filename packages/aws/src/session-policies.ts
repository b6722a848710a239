/**
 * What is lent to a worker for one task (design: workers, Credentials and keys per task). A session policy only narrows:
 * the rights are the intersection with the role's own. At most 2,048 characters each (AWS STS AssumeRole).
 */
interface PolicyStatement {
  readonly Effect: "Allow";
  readonly Action: string | readonly string[];
  readonly Resource: string | readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
}

export interface SessionPolicy {
  readonly Version: "2012-10-17";
  readonly Statement: readonly PolicyStatement[];
}

const policy = (...statements: readonly PolicyStatement[]): SessionPolicy => ({
  Version: "2012-10-17",
  Statement: statements.map((each) => ({
    ...each,
    Action: withoutList(each.Action),
    Resource: withoutList(each.Resource),
  })),
});

/** A list of one means the same without its brackets, and there is no room for them. */
function withoutList(values: string | readonly string[]): string | readonly string[] {
  return typeof values !== "string" && values.length === 1 ? values[0]! : values;
}

export interface EbsReadScope {
  readonly partition: string;
  readonly region: string;
  /** The run that made the snapshot, and the one that made its base. */
  readonly runs: readonly string[];
  readonly kmsKeyArns: readonly string[];
}

/** List and read the blocks of the snapshots that these runs made, and of no other. */
export function ebsReadPolicy(scope: EbsReadScope): SessionPolicy {
  const { partition, region } = scope;
  const read: PolicyStatement = {
    Effect: "Allow",
    Action: ["ebs:ListSnapshotBlocks", "ebs:ListChangedBlocks", "ebs:GetSnapshotBlock"],
    Resource: [`arn:${partition}:ec2:${region}::snapshot/*`],
    Condition: { StringEquals: { "aws:ResourceTag/garrison:run": scope.runs } },
  };
  return policy(read, ...keyStatements(scope, ["kms:Decrypt", "kms:DescribeKey"]));
}

export interface EbsWriteScope {
  readonly partition: string;
  readonly region: string;
  readonly snapshotIds: readonly string[];
  readonly kmsKeyArns: readonly string[];
}

/** Put blocks into these pending snapshots; starting and completing them stays with the appliance. */
export function ebsWritePolicy(scope: EbsWriteScope): SessionPolicy {
  const { partition, region } = scope;
  const put: PolicyStatement = {
    Effect: "Allow",
    Action: ["ebs:PutSnapshotBlock"],
    Resource: scope.snapshotIds.map((id) => `arn:${partition}:ec2:${region}::snapshot/${id}`),
  };
  const rights = ["kms:GenerateDataKeyWithoutPlaintext", "kms:DescribeKey", "kms:ReEncrypt*", "kms:Decrypt"];
  return policy(put, ...keyStatements(scope, rights));
}

function keyStatements(
  scope: { readonly region: string; readonly kmsKeyArns: readonly string[] },
  actions: readonly string[],
): readonly PolicyStatement[] {
  if (scope.kmsKeyArns.length === 0) return [];
  return [{ Effect: "Allow", Action: actions, Resource: scope.kmsKeyArns }];
}

export interface RepositoryScope {
  readonly partition: string;
  readonly bucket: string;
  /** The repository's prefix in the bucket, without slashes at its ends; may be empty. */
  readonly prefix: string;
  readonly domain: string;
  /** The bucket's own key, when it has one. */
  readonly bucketKeyArn?: string;
}

/**
 * Create objects of one session, and only where none is; read the domain's maps and points and the session's own packs.
 * No delete, no overwrite, no other domain. With `lockDays` also to lock what it creates, and for no longer: a captured
 * worker can't lock rubbish for a century.
 */
export function repositoryWritePolicy(
  scope: RepositoryScope & { readonly sessionId: string; readonly lockDays?: number },
): SessionPolicy {
  const { sessionId, lockDays } = scope;
  // One pattern for the session's folders (session, pack, map): ARNs are long, and 2,048 characters are few.
  const own = `*/${sessionId}/*`;
  const written = [own, `point/*/${sessionId}`].map((name) => objectArn(scope, name));
  const create: PolicyStatement = {
    Effect: "Allow",
    Action: ["s3:PutObject"],
    Resource: written,
    Condition: { Null: { "s3:if-none-match": "false" } },
  };
  return policy(
    create,
    ...lockStatements([objectArn(scope, `*/${sessionId}*`)], lockDays),
    read(scope, ["map/*", pointsNotesMoves, own]),
    list(scope, ["map/*", pointsNotesMoves, "end/*", own]),
    ...bucketKey(scope, ["kms:GenerateDataKey", "kms:Decrypt"]),
  );
}

/**
 * `point/`, `note/` (what is known to be lost: a backup must not refer to it again) and `moved/` (where a parent's pages are
 * by now): each name spelled out as an ARN would not fit. No other folder of a domain has an o in its second place.
 */
const pointsNotesMoves = "?o*/*";

/** S3 counts the days that are left; whether it rounds them up isn't told, so the cap has a day of play. */
function lockStatements(
  resources: readonly string[],
  lockDays: number | undefined,
): readonly PolicyStatement[] {
  if (lockDays === undefined) return [];
  const capped = {
    NumericLessThanEquals: { "s3:object-lock-remaining-retention-days": String(lockDays + 1) },
  };
  return [{ Effect: "Allow", Action: ["s3:PutObjectRetention"], Resource: resources, Condition: capped }];
}

/** Read one domain: for restores. */
export function repositoryReadPolicy(scope: RepositoryScope): SessionPolicy {
  const readable = ["map/*", "point/*", "pack/*", "moved/*", "note/findings/*"];
  return policy(
    read(scope, readable),
    list(scope, ["point/*", "end/*", "map/*", "pack/*", "moved/*", "note/findings/*"]),
    ...bucketKey(scope, ["kms:Decrypt"]),
  );
}

function read(scope: RepositoryScope, names: readonly string[]): PolicyStatement {
  return { Effect: "Allow", Action: ["s3:GetObject"], Resource: names.map((name) => objectArn(scope, name)) };
}

function list(scope: RepositoryScope, names: readonly string[]): PolicyStatement {
  return {
    Effect: "Allow",
    Action: ["s3:ListBucket"],
    Resource: [`arn:${scope.partition}:s3:::${scope.bucket}`],
    Condition: { StringLike: { "s3:prefix": names.map((name) => domainKey(scope, name)) } },
  };
}

function bucketKey(scope: RepositoryScope, actions: readonly string[]): readonly PolicyStatement[] {
  if (scope.bucketKeyArn === undefined) return [];
  return [{ Effect: "Allow", Action: actions, Resource: [scope.bucketKeyArn] }];
}

function objectArn(scope: RepositoryScope, name: string): string {
  return `arn:${scope.partition}:s3:::${scope.bucket}/${domainKey(scope, name)}`;
}

function domainKey(scope: RepositoryScope, name: string): string {
  return `${scope.prefix === "" ? "" : `${scope.prefix}/`}${scope.domain}/${name}`;
}
