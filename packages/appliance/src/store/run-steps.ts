import type { RunStep } from "@garrison/api/schemas/runs";
import { and, asc, eq, sql } from "drizzle-orm";
import type { Queries } from "./database/open-database.ts";
import { runLogs, runSteps } from "./database/schema.ts";
import { touchRun } from "./runs.ts";
import { withoutNulls } from "./without-nulls.ts";

export interface StepKey {
  readonly runId: string;
  readonly number: number;
}

/** Notes that a step begins; a repeated one (after a restart) keeps its start and counts the attempt. */
export async function beginStep(
  queries: Queries,
  step: StepKey & { readonly name: string; readonly at: Date },
): Promise<void> {
  const { runId, number, name, at } = step;
  await queries
    .insert(runSteps)
    .values({ runId, number, name, status: "running", attempts: 1, startedAt: at })
    .onConflictDoUpdate({
      target: [runSteps.runId, runSteps.number],
      set: { name, status: "running", attempts: sql`${runSteps.attempts} + 1`, endedAt: null },
    });
  await touchRun(queries, runId);
}

export async function endStep(
  queries: Queries,
  step: StepKey & { readonly status: "done" | "failed"; readonly at: Date },
): Promise<void> {
  await queries
    .update(runSteps)
    .set({ status: step.status, endedAt: step.at })
    .where(and(eq(runSteps.runId, step.runId), eq(runSteps.number, step.number)));
  await touchRun(queries, step.runId);
}

export async function logStep(
  queries: Queries,
  line: StepKey & { readonly at: Date; readonly message: string; readonly resource?: string | undefined },
): Promise<void> {
  const { runId, number, at, message, resource } = line;
  await queries
    .insert(runLogs)
    .values({ runId, stepNumber: number, at, message, resource: resource ?? null });
  await touchRun(queries, runId);
}

export async function listSteps(queries: Queries, runId: string): Promise<readonly RunStep[]> {
  const steps = await queries
    .select()
    .from(runSteps)
    .where(eq(runSteps.runId, runId))
    .orderBy(asc(runSteps.number));
  const lines = await queries.select().from(runLogs).where(eq(runLogs.runId, runId)).orderBy(asc(runLogs.id));
  return steps.map((step) => ({
    number: step.number,
    name: step.name,
    status: step.status,
    attempts: step.attempts,
    startedAt: step.startedAt.toISOString(),
    ...(step.endedAt === null ? {} : { endedAt: step.endedAt.toISOString() }),
    log: lines
      .filter((line) => line.stepNumber === step.number)
      .map((line) => {
        const { message, at, resource } = withoutNulls(line);
        return { at: at.toISOString(), message, ...(resource === undefined ? {} : { resource }) };
      }),
  }));
}
