import { hash } from "node:crypto";
import { GetSnapshotBlockCommand, PutSnapshotBlockCommand, type EBSClient } from "@aws-sdk/client-ebs";
import type { BlockClient } from "@garrison/aws/ebs/block-client";
import { translateAwsError } from "@garrison/aws/translate-aws-error";
import { GarrisonError } from "@garrison/core/garrison-error";

const blockBytes = 512 * 1024;

/** The same two calls through the SDK: what our own client is measured by and must agree with. */
export function openSdkBlockClient(ebs: EBSClient): BlockClient {
  return {
    async get({ snapshotId, index, token }, { signal }) {
      const doing = `reading block ${index} of ${snapshotId}`;
      const command = new GetSnapshotBlockCommand({
        SnapshotId: snapshotId,
        BlockIndex: index,
        BlockToken: token,
      });
      try {
        const answer = await ebs.send(command, { abortSignal: signal });
        const bytes = (await answer.BlockData?.transformToByteArray()) ?? new Uint8Array(0);
        const sha256 = hash("sha256", bytes, "buffer");
        if (bytes.length !== blockBytes || sha256.toString("base64") !== answer.Checksum)
          throw new GarrisonError("ebs-block-damaged", doing);
        return { bytes, sha256 };
      } catch (error) {
        throw translateAwsError(error, doing);
      }
    },
    async put({ snapshotId, index, bytes, sha256 }, { signal }) {
      const command = new PutSnapshotBlockCommand({
        SnapshotId: snapshotId,
        BlockIndex: index,
        BlockData: bytes,
        DataLength: blockBytes,
        Checksum: Buffer.from(sha256).toString("base64"),
        ChecksumAlgorithm: "SHA256",
      });
      await ebs.send(command, { abortSignal: signal }).catch((error: unknown) => {
        throw translateAwsError(error, `writing block ${index} of ${snapshotId}`);
      });
    },
    close: () => ebs.destroy(),
  };
}
