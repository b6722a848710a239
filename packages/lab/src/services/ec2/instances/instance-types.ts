import type {
  _InstanceType,
  ArchitectureValues,
  DescribeInstanceTypesCommandInput,
  InstanceTypeInfo,
} from "@aws-sdk/client-ec2";
import { AwsError } from "../../../wire/aws-error.ts";
import type { Call } from "../../../wire/operation-handler.ts";
import { filterRecords, type FilterTable } from "../shared/filter-records.ts";
import { pageRecords } from "../shared/page-records.ts";
import { permitAny } from "../shared/permit.ts";

export interface InstanceTypeFacts {
  readonly name: _InstanceType;
  readonly architecture: ArchitectureValues;
  readonly vcpus: number;
  readonly memoryMiB: number;
  readonly burstable: boolean;
  readonly tags: Readonly<Record<string, string>>;
}

/** family -> architecture and the memory of its sizes; vCPUs follow from the size. */
const families: readonly (readonly [
  string,
  ArchitectureValues,
  Readonly<Record<string, readonly [number, number]>>,
])[] = [
  [
    "t3",
    "x86_64",
    {
      nano: [2, 512],
      micro: [2, 1024],
      small: [2, 2048],
      medium: [2, 4096],
      large: [2, 8192],
      xlarge: [4, 16_384],
    },
  ],
  ["t3a", "x86_64", { micro: [2, 1024], small: [2, 2048], medium: [2, 4096], large: [2, 8192] }],
  [
    "t4g",
    "arm64",
    {
      nano: [2, 512],
      micro: [2, 1024],
      small: [2, 2048],
      medium: [2, 4096],
      large: [2, 8192],
      xlarge: [4, 16_384],
    },
  ],
  [
    "m5",
    "x86_64",
    { large: [2, 8192], xlarge: [4, 16_384], "2xlarge": [8, 32_768], "4xlarge": [16, 65_536] },
  ],
  [
    "m6i",
    "x86_64",
    { large: [2, 8192], xlarge: [4, 16_384], "2xlarge": [8, 32_768], "4xlarge": [16, 65_536] },
  ],
  ["m7g", "arm64", { medium: [1, 4096], large: [2, 8192], xlarge: [4, 16_384], "2xlarge": [8, 32_768] }],
  ["c6i", "x86_64", { large: [2, 4096], xlarge: [4, 8192], "2xlarge": [8, 16_384], "4xlarge": [16, 32_768] }],
  ["c7g", "arm64", { medium: [1, 2048], large: [2, 4096], xlarge: [4, 8192], "2xlarge": [8, 16_384] }],
  ["c6gn", "arm64", { medium: [1, 2048], large: [2, 4096], xlarge: [4, 8192], "2xlarge": [8, 16_384] }],
];

/** The types that the lab offers. */
export const instanceTypes: readonly InstanceTypeFacts[] = families.flatMap(([family, architecture, sizes]) =>
  Object.entries(sizes).map(([size, [vcpus, memoryMiB]]) => ({
    name: `${family}.${size}` as _InstanceType,
    architecture,
    vcpus,
    memoryMiB,
    burstable: family.startsWith("t"),
    tags: {},
  })),
);

export function findInstanceType(name: string): InstanceTypeFacts {
  const facts = instanceTypes.find((type) => type.name === name);
  if (facts === undefined) {
    throw new AwsError("InvalidParameterValue", `Invalid value '${name}' for InstanceType.`);
  }
  return facts;
}

const filters: FilterTable<InstanceTypeFacts> = {
  "instance-type": (type) => type.name,
  "current-generation": () => "true",
  "processor-info.supported-architecture": (type) => type.architecture,
  "vcpu-info.default-vcpus": (type) => String(type.vcpus),
  "burstable-performance-supported": (type) => String(type.burstable),
};

export function describeInstanceTypes(input: DescribeInstanceTypesCommandInput, call: Call): object {
  permitAny(call, input.DryRun, "ec2:DescribeInstanceTypes");
  const unknown =
    input.InstanceTypes?.filter((name) => instanceTypes.every((type) => type.name !== name)) ?? [];
  if (unknown.length > 0) {
    throw new AwsError(
      "InvalidInstanceType",
      `The following supplied instance types do not exist: [${unknown.join(", ")}]`,
    );
  }
  const named = input.InstanceTypes?.length
    ? input.InstanceTypes.map((name) => findInstanceType(name))
    : instanceTypes;
  const page = pageRecords(filterRecords(named, input.Filters, filters), input, (type) => type.name);
  return { InstanceTypes: page.items.map(formatType), NextToken: page.NextToken };
}

function formatType(type: InstanceTypeFacts): InstanceTypeInfo {
  return {
    InstanceType: type.name,
    CurrentGeneration: true,
    BareMetal: false,
    BurstablePerformanceSupported: type.burstable,
    Hypervisor: "nitro",
    SupportedUsageClasses: ["on-demand", "spot"],
    SupportedRootDeviceTypes: ["ebs"],
    SupportedVirtualizationTypes: ["hvm"],
    ProcessorInfo: { SupportedArchitectures: [type.architecture as "x86_64"] },
    VCpuInfo: {
      DefaultVCpus: type.vcpus,
      DefaultCores: Math.max(1, type.vcpus / 2),
      DefaultThreadsPerCore: 2,
    },
    MemoryInfo: { SizeInMiB: type.memoryMiB },
    EbsInfo: { EbsOptimizedSupport: "default", EncryptionSupport: "supported", NvmeSupport: "required" },
  };
}
