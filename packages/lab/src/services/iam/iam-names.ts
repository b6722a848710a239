import { checkText } from "../sts/validation.ts";

/** Names of users, roles, profiles and policies. */
export function checkName(member: string, name: string | undefined, max: number): void {
  checkText(member, name, { min: 1, max, pattern: /^[\w+=,.@-]+$/ });
}

/** `/`, or `/a/b/`. */
export function checkPath(path: string | undefined): void {
  checkText("path", path, { min: 1, max: 512, pattern: /^(\/|\/[!-~]+\/)$/ });
}

/** White space doesn't count against the size limits of policies. */
export function policyLength(document: string): number {
  return document.replaceAll(/\s/g, "").length;
}

/** Policy documents travel percent-coded in IAM's answers. */
export function codedDocument(document: string): string {
  return encodeURIComponent(document).replaceAll(
    /[!'()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
