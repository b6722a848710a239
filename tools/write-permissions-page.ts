import { writeFileSync } from "node:fs";
import { permissionsPage } from "../packages/roles/src/permissions-page.ts";
import { checkedInProof } from "../packages/roles/src/proof/checked-in-proof.ts";

writeFileSync(new URL("../docs/permissions.md", import.meta.url), permissionsPage(checkedInProof));
