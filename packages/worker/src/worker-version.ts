/** Told in the worker's hello. */
export const workerVersion = "0.1.0";
