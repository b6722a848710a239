import { placeholders, type RoleDocuments } from "../export-role.ts";

/** A value that a person fills in where a template is used. */
export interface TemplateParameter {
  readonly placeholder: string;
  /** In CloudFormation. */
  readonly name: string;
  /** In Terraform. */
  readonly variable: string;
  readonly description: string;
  /** Of its whole value. */
  readonly pattern: string;
  readonly default?: string;
}

export const templateParameters: readonly TemplateParameter[] = [
  {
    placeholder: placeholders.backupAccount,
    name: "BackupAccountId",
    variable: "backup_account_id",
    description: "The account that Garrison's appliance runs in",
    pattern: "\\d{12}",
  },
  {
    placeholder: placeholders.applianceRole,
    name: "ApplianceRoleName",
    variable: "appliance_role_name",
    description: "The appliance's role in that account",
    pattern: "[\\w+=,.@-]{1,64}",
    default: "garrison-appliance",
  },
  {
    placeholder: placeholders.externalId,
    name: "ExternalId",
    variable: "external_id",
    description: "The external ID that the appliance shows for this account",
    pattern: "[\\w+=,.@:/-]{2,128}",
  },
  {
    placeholder: placeholders.installation,
    name: "InstallationId",
    variable: "installation_id",
    description: "The installation that may use the roles; * for any",
    pattern: "[0-9a-f]{8}|\\*",
    default: "*",
  },
  {
    placeholder: placeholders.bucket,
    name: "BucketName",
    variable: "bucket_name",
    description: "The repository's bucket",
    pattern: "[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]",
  },
];

/** Those that the documents leave open, in a fixed order. */
export function usedParameters(roles: readonly RoleDocuments[]): readonly TemplateParameter[] {
  const text = JSON.stringify(roles.map((role) => ({ ...role, warnings: [] })));
  return templateParameters.filter(({ placeholder }) => text.includes(placeholder));
}

/** The same value with every text in it mapped; keys stay. */
export function mapTexts(value: unknown, map: (text: string) => unknown): unknown {
  if (typeof value === "string") return map(value);
  if (Array.isArray(value)) return value.map((inner) => mapTexts(inner, map));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, mapTexts(inner, map)]));
}
