import { publicImageId } from "../ec2/images/public-images.ts";
import type { ParameterRecord } from "./parameters.ts";

const imageFolder = "/aws/service/ami-amazon-linux-latest";
const architectures = ["x86_64", "arm64"] as const;

/** The parameters of Amazon's that the lab has: the current Amazon Linux 2023 image, by either of its names. */
export const publicParameterNames: readonly string[] = architectures.flatMap((architecture) => [
  `${imageFolder}/al2023-ami-kernel-default-${architecture}`,
  `${imageFolder}/al2023-ami-kernel-6.12-${architecture}`,
]);

export function publicParameter(
  name: string,
  { region }: { readonly region: string },
): ParameterRecord | undefined {
  const architecture = architectures.find((candidate) => name.endsWith(`-${candidate}`));
  if (architecture === undefined || !publicParameterNames.includes(name)) return undefined;
  return {
    name,
    accountId: "",
    region,
    type: "String",
    value: publicImageId(architecture, region),
    version: 1,
    modifiedMs: Date.UTC(2026, 10, 12, 9),
    dataType: "aws:ec2:image",
    tags: {},
  };
}
