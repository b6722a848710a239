import { writeFileSync } from "node:fs";
import { permissionsPage } from "../packages/roles/src/permissions-page.ts";

writeFileSync(new URL("../docs/permissions.md", import.meta.url), permissionsPage());
