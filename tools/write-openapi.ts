import { writeFileSync } from "node:fs";
import { openApiDocument } from "../packages/api/src/openapi-document.ts";

const text = `${JSON.stringify(openApiDocument(), undefined, 2)}\n`;
writeFileSync(new URL("../openapi.json", import.meta.url), text);
