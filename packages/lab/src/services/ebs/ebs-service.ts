import type { LabService } from "../../wire/operation-handler.ts";
import { getSnapshotBlock } from "./get-snapshot-block.ts";
import { listChangedBlocks, listSnapshotBlocks } from "./list-blocks.ts";
import { startSnapshot } from "./start-snapshot.ts";
import { completeSnapshot, putSnapshotBlock } from "./write-snapshot.ts";

/** The EBS direct APIs. */
export const ebsService: LabService = {
  signingName: "ebs",
  async load() {
    const module = await import("@aws-sdk/client-ebs");
    return { module, client: new module.EBSClient({ region: "us-east-1" }) };
  },
  operations: {
    CompleteSnapshot: completeSnapshot,
    GetSnapshotBlock: getSnapshotBlock,
    ListChangedBlocks: listChangedBlocks,
    ListSnapshotBlocks: listSnapshotBlocks,
    PutSnapshotBlock: putSnapshotBlock,
    StartSnapshot: startSnapshot,
  },
  borrowsBodies: true,
  deniedCode: "AccessDeniedException",
};
