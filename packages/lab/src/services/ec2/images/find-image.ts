import type { AwsError } from "../../../wire/aws-error.ts";
import { checkIdForm, missingParameter } from "../shared/ec2-errors.ts";
import { MissingResource } from "../shared/missing-resource.ts";
import { isOwned, type Viewer } from "../shared/owned-records.ts";
import type { ImageRecord } from "./image-record.ts";
import { findPublicImage } from "./public-images.ts";

/** One of the caller's own images, or a public one. */
export function findImage(viewer: Viewer, imageId: string | undefined): ImageRecord {
  if (imageId === undefined) throw missingParameter("ImageId");
  checkIdForm(imageId, "ami", "InvalidAMIID.Malformed");
  const own = viewer.lab.ec2.tables.images.get(imageId);
  const image = isOwned(viewer, own) ? own : findPublicImage(imageId, viewer.region);
  if (image === undefined) throw imageMissing(imageId);
  return image;
}

export function imageMissing(imageId: string): AwsError {
  return new MissingResource("InvalidAMIID.NotFound", `The image id '[${imageId}]' does not exist`, imageId);
}
