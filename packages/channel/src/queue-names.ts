export interface ChannelQueueNames {
  /** What both begin with; a worker lists queues by it. */
  readonly prefix: string;
  readonly toWorker: string;
  readonly toAppliance: string;
}

/** Names of a worker's two queues, in the worker's account and Region. */
export function channelQueueNames(address: {
  readonly installation: string;
  readonly worker: string;
}): ChannelQueueNames {
  const prefix = `garrison-${address.installation}-${address.worker}`;
  return { prefix, toWorker: `${prefix}-in`, toAppliance: `${prefix}-out` };
}
