import type { AdminRequest, Lab } from "../lab.ts";
import type { QueueDisorder } from "../services/sqs/queue-messages.ts";
import { setQueueDisorder } from "../services/sqs/sqs-store.ts";
import { AwsError } from "../wire/aws-error.ts";

/** Admin routes of queues and machines: `queues/disorder`, and `machines/<instance id>[/spot-interruption]`. */
export function addRunRoutes(lab: Lab): void {
  lab.adminRoutes.set("queues/disorder", ({ method, body }) => {
    const { seed = 0, reorder = 0, duplicate = 0 } = (body ?? {}) as Partial<QueueDisorder>;
    if (method === "DELETE") setQueueDisorder(lab);
    else setQueueDisorder(lab, { seed, reorder, duplicate });
    return { seed, reorder, duplicate };
  });
  lab.adminRoutes.set("machines", (request) => answerMachine(lab, request));
}

function answerMachine(lab: Lab, { method, rest, body }: AdminRequest): object {
  const [instanceId = "", verb] = rest.split("/");
  if (verb === "spot-interruption" && method === "POST") {
    const { action = "terminate" } = (body ?? {}) as { action?: "terminate" | "stop" | "hibernate" };
    lab.machines.announceSpotInterruption(instanceId, action);
  } else if (verb !== undefined) {
    throw new AwsError("NotFound", `a machine has no ${verb}`, { status: 404 });
  }
  return {
    instanceId,
    running: lab.machines.isRunning(instanceId),
    console: lab.machines.consoleOutput(instanceId),
  };
}
