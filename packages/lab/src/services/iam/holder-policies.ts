import type { Principal } from "../../identity/identity-tables.ts";
import type { Call, Operation } from "../../wire/operation-handler.ts";
import { checkPolicyDocument } from "./check-policy-document.ts";
import { authorizedHolder, saveHolder, type HolderKind } from "./holders.ts";
import { limitExceeded, noSuchEntity } from "./iam-errors.ts";
import { checkName, codedDocument, policyLength } from "./iam-names.ts";
import { pageOf, type PageInput } from "./iam-page.ts";
import { attachablePolicy, nameOfPolicyArn } from "./managed-policy-access.ts";

interface PolicyInput extends PageInput, Readonly<Record<string, unknown>> {
  readonly PolicyName?: string;
  readonly PolicyDocument?: string;
  readonly PolicyArn?: string;
  readonly PathPrefix?: string;
  readonly PermissionsBoundary?: string;
}

const maxAttached = 10;

/** `Put<Kind>Policy` and the like: inline policies, attached policies and the boundary of users and roles. */
export function holderPolicyOperations<Holder extends Principal>(
  kind: HolderKind<Holder>,
): Readonly<Record<string, Operation>> {
  const { title } = kind;
  const operations: Record<string, (input: PolicyInput, call: Call) => object> = {
    [`Put${title}Policy`]: (input, call) => putInline(kind, input, call),
    [`Get${title}Policy`]: (input, call) => getInline(kind, input, call),
    [`Delete${title}Policy`]: (input, call) => deleteInline(kind, input, call),
    [`List${title}Policies`]: (input, call) => listInline(kind, input, call),
    [`Attach${title}Policy`]: (input, call) => attach(kind, input, call),
    [`Detach${title}Policy`]: (input, call) => detach(kind, input, call),
    [`ListAttached${title}Policies`]: (input, call) => listAttached(kind, input, call),
    [`Put${title}PermissionsBoundary`]: (input, call) => putBoundary(kind, input, call),
    [`Delete${title}PermissionsBoundary`]: (input, call) => deleteBoundary(kind, input, call),
  };
  return operations as Readonly<Record<string, Operation>>;
}

function putInline<Holder extends Principal>(
  kind: HolderKind<Holder>,
  input: PolicyInput,
  call: Call,
): object {
  const holder = authorizedHolder(kind, input, { call, action: `Put${kind.title}Policy` });
  const document = input.PolicyDocument!;
  checkName("policyName", input.PolicyName, 128);
  checkPolicyDocument(document, "identity");
  const inlinePolicies = { ...holder.inlinePolicies, [input.PolicyName!]: document };
  const total = Object.values(inlinePolicies).reduce((sum, text) => sum + policyLength(text), 0);
  if (total > kind.inlineLimit) {
    throw limitExceeded(
      `Maximum policy size of ${kind.inlineLimit} bytes exceeded for ${kind.title.toLowerCase()} ${kind.nameOf(holder)}`,
    );
  }
  saveHolder(kind, call, { ...holder, inlinePolicies });
  return {};
}

function getInline<Holder extends Principal>(
  kind: HolderKind<Holder>,
  input: PolicyInput,
  call: Call,
): object {
  const holder = authorizedHolder(kind, input, { call, action: `Get${kind.title}Policy` });
  const document = inlineOf(kind, holder, input.PolicyName!);
  return {
    [kind.nameMember]: kind.nameOf(holder),
    PolicyName: input.PolicyName,
    PolicyDocument: codedDocument(document),
  };
}

function deleteInline<Holder extends Principal>(
  kind: HolderKind<Holder>,
  input: PolicyInput,
  call: Call,
): object {
  const holder = authorizedHolder(kind, input, { call, action: `Delete${kind.title}Policy` });
  inlineOf(kind, holder, input.PolicyName!);
  const { [input.PolicyName!]: _deleted, ...inlinePolicies } = holder.inlinePolicies;
  saveHolder(kind, call, { ...holder, inlinePolicies });
  return {};
}

function listInline<Holder extends Principal>(
  kind: HolderKind<Holder>,
  input: PolicyInput,
  call: Call,
): object {
  const holder = authorizedHolder(kind, input, { call, action: `List${kind.title}Policies` });
  const { items, ...page } = pageOf(Object.keys(holder.inlinePolicies).sort(), input);
  return { PolicyNames: items, ...page };
}

function inlineOf<Holder extends Principal>(kind: HolderKind<Holder>, holder: Holder, name: string): string {
  const document = Object.hasOwn(holder.inlinePolicies, name) ? holder.inlinePolicies[name] : undefined;
  if (document === undefined) throw noSuchEntity(`${kind.title.toLowerCase()} policy`, name);
  return document;
}

function attach<Holder extends Principal>(kind: HolderKind<Holder>, input: PolicyInput, call: Call): object {
  const PolicyArn = input.PolicyArn!;
  const holder = authorizedHolder(kind, input, {
    call,
    action: `Attach${kind.title}Policy`,
    context: { "iam:PolicyARN": PolicyArn },
  });
  attachablePolicy(call, PolicyArn);
  if (holder.attachedPolicyArns.includes(PolicyArn)) return {};
  if (holder.attachedPolicyArns.length >= maxAttached) {
    throw limitExceeded(`Cannot exceed quota for PoliciesPer${kind.title}: ${maxAttached}`);
  }
  saveHolder(kind, call, { ...holder, attachedPolicyArns: [...holder.attachedPolicyArns, PolicyArn] });
  return {};
}

function detach<Holder extends Principal>(kind: HolderKind<Holder>, input: PolicyInput, call: Call): object {
  const PolicyArn = input.PolicyArn!;
  const holder = authorizedHolder(kind, input, {
    call,
    action: `Detach${kind.title}Policy`,
    context: { "iam:PolicyARN": PolicyArn },
  });
  if (!holder.attachedPolicyArns.includes(PolicyArn)) throw noSuchEntity("attached policy", PolicyArn);
  saveHolder(kind, call, {
    ...holder,
    attachedPolicyArns: holder.attachedPolicyArns.filter((arn) => arn !== PolicyArn),
  });
  return {};
}

function listAttached<Holder extends Principal>(
  kind: HolderKind<Holder>,
  input: PolicyInput,
  call: Call,
): object {
  const holder = authorizedHolder(kind, input, { call, action: `ListAttached${kind.title}Policies` });
  const attached = holder.attachedPolicyArns.map((PolicyArn) => ({
    PolicyName: nameOfPolicyArn(PolicyArn),
    PolicyArn,
  }));
  const { items, ...page } = pageOf(attached, input);
  return { AttachedPolicies: items, ...page };
}

function putBoundary<Holder extends Principal>(
  kind: HolderKind<Holder>,
  input: PolicyInput,
  call: Call,
): object {
  const boundaryArn = input.PermissionsBoundary!;
  const context = { "iam:PermissionsBoundary": boundaryArn };
  const holder = authorizedHolder(kind, input, {
    call,
    action: `Put${kind.title}PermissionsBoundary`,
    context,
  });
  attachablePolicy(call, boundaryArn);
  saveHolder(kind, call, { ...holder, boundaryArn });
  return {};
}

function deleteBoundary<Holder extends Principal>(
  kind: HolderKind<Holder>,
  input: PolicyInput,
  call: Call,
): object {
  const holder = authorizedHolder(kind, input, { call, action: `Delete${kind.title}PermissionsBoundary` });
  const { boundaryArn: _removed, ...rest } = holder;
  saveHolder(kind, call, rest as Holder);
  return {};
}
