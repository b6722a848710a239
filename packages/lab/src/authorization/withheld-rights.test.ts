import { expect, test } from "vitest";
import { openWithheldRights } from "./withheld-rights.ts";

const roleArn = "arn:aws:iam::222222222222:role/one";
const document = {
  Version: "2012-10-17",
  Statement: [
    { Sid: "Read", Effect: "Allow", Action: ["s3:GetObject", "s3:PutObject"], Resource: "*" },
    { Sid: "Also", Effect: "Allow", Action: "s3:GetObject", Resource: "*" },
  ],
};
const policies = [{ name: "inline", policy: document }];
const enforced = (rights: Parameters<ReturnType<typeof openWithheldRights>["set"]>[0], of = roleArn) => {
  const withheld = openWithheldRights();
  withheld.set(rights);
  return withheld.enforced(of, policies)[0]!.policy;
};

test("an action is left out of the statement that is named, and stays in others", () => {
  expect(enforced([{ roleArn, action: "s3:getobject", statement: "Read" }])).toMatchObject({
    Statement: [
      { Sid: "Read", Action: ["s3:PutObject"] },
      { Sid: "Also", Action: ["s3:GetObject"] },
    ],
  });
});

test("without a statement's name it is left out of all, and a statement without actions goes", () => {
  expect(enforced([{ roleArn, action: "s3:GetObject" }])).toMatchObject({
    Statement: [{ Sid: "Read", Action: ["s3:PutObject"] }],
  });
});

test("another role with the same document keeps everything, and gets the very same object", () => {
  expect(enforced([{ roleArn, action: "s3:GetObject" }], "arn:aws:iam::222222222222:role/two")).toBe(
    document,
  );
});

test("the same document is made once for each role, until the list changes", () => {
  const withheld = openWithheldRights();
  withheld.set([{ roleArn, action: "s3:GetObject", statement: "Also" }]);
  const first = withheld.enforced(roleArn, policies)[0]!.policy;
  expect(withheld.enforced(roleArn, policies)[0]!.policy).toBe(first);
  withheld.set([]);
  expect(withheld.enforced(roleArn, policies)[0]!.policy).toBe(document);
});
