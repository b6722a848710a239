import { defineErrorCodes } from "./error-code.ts";

export const channelCodes = defineErrorCodes({
  "announcement-invalid": {
    retryable: false,
    httpStatus: 502,
    exitCode: 1,
    title: "The worker did not print its public keys",
    help: "The run's log holds what the bootstrap command printed; the first error there is the cause.",
  },
  "channel-closed": {
    retryable: false,
    httpStatus: 409,
    exitCode: 1,
    title: "The channel is closed",
    help: "The run that used it has ended; start a new one.",
  },
  "channel-failed": {
    retryable: true,
    httpStatus: 502,
    exitCode: 1,
    title: "The queue between appliance and worker can't be used",
    help: "See the cause: the queue is gone, refused or out of reach. The run can be started again.",
  },
  "channel-full": {
    retryable: true,
    httpStatus: 503,
    exitCode: 1,
    title: "The other side takes no messages",
    help: "It is down, or somebody deletes messages from the queue; the run ends by its deadline at the latest.",
  },
  "channel-store-invalid": {
    retryable: false,
    httpStatus: 500,
    exitCode: 1,
    title: "The stored state of a channel can't be read",
    help: "The record was changed from outside or written by a newer version; end the run and start a new one.",
  },
  "channel-superseded": {
    retryable: false,
    httpStatus: 409,
    exitCode: 1,
    title: "Somebody else holds this channel now",
    help: "Another appliance has taken over the run; nothing to do here.",
  },
  "message-invalid": {
    retryable: false,
    httpStatus: 400,
    exitCode: 1,
    title: "A channel message has the wrong shape",
    help: "Appliance and worker are of different versions; start the run again so that a new worker is launched.",
  },
  "message-too-large": {
    retryable: false,
    httpStatus: 413,
    exitCode: 1,
    title: "A channel message is larger than 256 KiB",
    help: "Split the run: fewer volumes, or fewer sessions referred to by the restore point.",
  },
});
