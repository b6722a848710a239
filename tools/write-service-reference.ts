import { writeFileSync } from "node:fs";
import { formatServiceReference, referencePath } from "./service-reference.ts";

writeFileSync(referencePath, await formatServiceReference());
