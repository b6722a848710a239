import type { LabService } from "../../wire/operation-handler.ts";
import { aclOperations } from "./acl-operations.ts";
import { bucketSettingOperations } from "./bucket-settings.ts";
import { createBucket, deleteBucket, getBucketLocation, headBucket, listBuckets } from "./buckets.ts";
import { completeMultipartUpload } from "./complete-upload.ts";
import { copyObject } from "./copy-object.ts";
import { deleteObject, deleteObjects } from "./delete-object.ts";
import { getObject, headObject } from "./get-object.ts";
import { listObjects, listObjectsV2, listObjectVersions } from "./list-objects.ts";
import {
  abortMultipartUpload,
  createMultipartUpload,
  listMultipartUploads,
  listParts,
} from "./multipart-upload.ts";
import { objectSettingOperations } from "./object-settings.ts";
import { putObject } from "./put-object.ts";
import { uploadPart, uploadPartCopy } from "./upload-part.ts";

export const s3Service: LabService = {
  signingName: "s3",
  deniedCode: "AccessDenied",
  load: loadClient,
  operations: {
    CreateBucket: createBucket,
    DeleteBucket: deleteBucket,
    HeadBucket: headBucket,
    GetBucketLocation: getBucketLocation,
    ListBuckets: listBuckets,
    ...bucketSettingOperations,
    ...aclOperations,
    PutObject: putObject,
    GetObject: getObject,
    HeadObject: headObject,
    CopyObject: copyObject,
    DeleteObject: deleteObject,
    DeleteObjects: deleteObjects,
    ...objectSettingOperations,
    ListObjects: listObjects,
    ListObjectsV2: listObjectsV2,
    ListObjectVersions: listObjectVersions,
    CreateMultipartUpload: createMultipartUpload,
    UploadPart: uploadPart,
    UploadPartCopy: uploadPartCopy,
    CompleteMultipartUpload: completeMultipartUpload,
    AbortMultipartUpload: abortMultipartUpload,
    ListParts: listParts,
    ListMultipartUploads: listMultipartUploads,
  },
};

async function loadClient() {
  const module = await import("@aws-sdk/client-s3");
  const client = new module.S3Client({
    region: "us-east-1",
    endpoint: "http://localhost",
    credentials: { accessKeyId: "none", secretAccessKey: "none" },
  });
  return { module, client };
}
