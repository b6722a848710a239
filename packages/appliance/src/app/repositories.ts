import type { NewRepository, RepositoryBody, RepositoryCheck } from "@garrison/api/schemas/repositories";
import { GarrisonError } from "@garrison/core/garrison-error";
import { newId } from "@garrison/core/ids";
import { checkRepository } from "@garrison/repository/check/check-repository";
import { initRepository } from "@garrison/repository/keys/init-repository";
import { openRepository } from "@garrison/repository/keys/open-repository";
import { openStoreAt, sealSecret, type KeptSecret } from "../access/repository-access.ts";
import {
  createRepositoryRecord,
  findRepositoryByName,
  listRepositoryRecords,
  readRepositoryRecord,
  withoutSecret,
  type StoredRepository,
} from "../store/repositories.ts";
import type { AppCall, AppDependencies } from "./app-dependencies.ts";

const masterSecretBytes = 32;

/** Makes a repository, or opens one that exists; either way its secret is kept sealed from then on. */
export async function addRepository(
  dependencies: AppDependencies,
  wanted: NewRepository,
  call: AppCall,
): Promise<RepositoryBody> {
  const { queries, secrets, clock, random } = dependencies;
  if ((await findRepositoryByName(queries, wanted.name)) !== undefined) {
    throw new GarrisonError("record-exists", `a repository with the name ${wanted.name} exists`);
  }
  const store = openStoreAt(dependencies, wanted);
  const secret: KeptSecret =
    wanted.password === undefined
      ? { masterSecret: random.bytes(masterSecretBytes) }
      : { password: wanted.password };
  const opened =
    wanted.mode === "init"
      ? await initRepository({ store, clock, random }, [secret], call)
      : await openRepository({ store }, secret, call);
  const id = newId(random, "repo");
  const { name, url, roleArn, externalId, stagingBucket, bucketKeyArn } = wanted;
  const record = await createRepositoryRecord(queries, {
    id,
    name,
    url,
    kind: url.startsWith("file://") ? "folder" : "s3",
    repositoryId: opened.repositoryId,
    secret: sealSecret(secrets, id, secret),
    ...(roleArn === undefined ? {} : { roleArn }),
    ...(externalId === undefined ? {} : { externalId }),
    ...(stagingBucket === undefined ? {} : { stagingBucket }),
    ...(bucketKeyArn === undefined ? {} : { bucketKeyArn }),
    createdAt: new Date(clock.now()),
  });
  return withoutSecret(record);
}

/** Checks the restore points of one account's domain; every finding, at most a thousand of them. */
export async function checkStoredRepository(
  dependencies: AppDependencies,
  wanted: { readonly id: string; readonly accountId: string; readonly level: "structure" | "full" },
  call: AppCall,
): Promise<RepositoryCheck> {
  const record = await readRepositoryRecord(dependencies.queries, wanted.id);
  const { store, repository } = await dependencies.repositories.open(record, call);
  const plan = { level: wanted.level, domain: wanted.accountId };
  const findings: RepositoryCheck["findings"] = [];
  for await (const finding of checkRepository({ store, repository }, plan, call)) {
    const { severity, code, key, message, point, volumeId } = finding;
    findings.push({
      severity,
      code,
      key,
      message,
      ...(point === undefined ? {} : { point }),
      ...(volumeId === undefined ? {} : { volumeId }),
    });
    if (findings.length >= maxFindings) break;
  }
  return { findings };
}

const maxFindings = 1000;

/** The repository that a run means: the one it names, or the only one there is. */
export async function chooseRepository(
  { queries }: Pick<AppDependencies, "queries">,
  id: string | undefined,
): Promise<StoredRepository> {
  if (id !== undefined) return (await findRepositoryByName(queries, id)) ?? readRepositoryRecord(queries, id);
  const { items } = await listRepositoryRecords(queries, { limit: 2 });
  const [only, another] = items;
  if (only !== undefined && another === undefined) return only;
  throw new GarrisonError(
    "request-invalid",
    only === undefined ? "there is no repository yet" : "there are several repositories: name one",
  );
}
