import { expect, test } from "vitest";
import { operationIds } from "../role-catalogue.ts";
import { checkedInProof } from "./checked-in-proof.ts";
import { openFindings } from "./is-proven.ts";
import { listProofSubjects } from "./proof-subject.ts";
import { subjectDigest } from "./subject-digest.ts";

const subjects = listProofSubjects(operationIds());
const nameOf = (one: { readonly role: string; readonly action: string; readonly digest: string }) =>
  `${one.role} ${one.action} ${one.digest}`;

test("every right of this release is in the checked-in proof as it is now (prove anew: npm run prove)", () => {
  const proven = new Set(checkedInProof.actions.map(nameOf));
  const wanting = subjects.filter(
    (subject) => !proven.has(nameOf({ ...subject, digest: subjectDigest(subject) })),
  );
  expect(wanting.map(({ role, grant, action }) => `${role} ${grant.id} ${action}`)).toEqual([]);
});

test("the checked-in proof tells of no right that this release does not ask for", () => {
  const asked = new Set(subjects.map((subject) => nameOf({ ...subject, digest: subjectDigest(subject) })));
  expect(checkedInProof.actions.filter((one) => !asked.has(nameOf(one)))).toEqual([]);
});

test("every scenario had rights enough in both forms", () => {
  const enough = checkedInProof.sufficient.filter(({ isSufficient }) => isSufficient);
  const forms = Object.keys(checkedInProof.scenarios).flatMap((id) => [`${id} compatible`, `${id} scoped`]);
  expect(enough.map(({ scenario, form }) => `${scenario} ${form}`).sort()).toEqual(forms.sort());
});

test("no right is superfluous, undecided or too wide, but for findings that are kept with a reason", () => {
  expect(openFindings(checkedInProof.actions)).toEqual([]);
});
