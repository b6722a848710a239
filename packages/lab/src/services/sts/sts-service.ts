import type {
  DecodeAuthorizationMessageCommandInput,
  GetAccessKeyInfoCommandInput,
  GetSessionTokenCommandInput,
} from "@aws-sdk/client-sts";
import { decodeDenial } from "../../authorization/denial-details.ts";
import { issueSession } from "../../identity/issue-session.ts";
import { AwsError } from "../../wire/aws-error.ts";
import type { Call, LabService } from "../../wire/operation-handler.ts";
import { assumeRole } from "./assume-role.ts";
import { credentialsOf } from "./credentials-of.ts";
import { checkRange } from "./validation.ts";

/** AWS Security Token Service. */
export const stsService: LabService = {
  signingName: "sts",
  load: async () => {
    const module = await import("@aws-sdk/client-sts");
    return { module, client: new module.STSClient({ region: "us-east-1" }) };
  },
  deniedCode: "AccessDenied",
  unauthorised: ["GetCallerIdentity", "GetSessionToken"],
  operations: {
    AssumeRole: assumeRole,
    GetCallerIdentity: getCallerIdentity,
    GetSessionToken: getSessionToken,
    DecodeAuthorizationMessage: decodeAuthorizationMessage,
    GetAccessKeyInfo: getAccessKeyInfo,
  },
};

/** Needs no permission, and works even under an explicit deny. */
function getCallerIdentity(_input: object, { principal }: Call): object {
  return { UserId: principal.userId, Account: principal.accountId, Arn: principal.arn };
}

function getSessionToken(input: GetSessionTokenCommandInput, call: Call): object {
  checkRange("durationSeconds", input.DurationSeconds, [900, 129_600]);
  const { principal } = call;
  if (principal.session !== undefined) {
    throw new AwsError("AccessDenied", "Cannot call GetSessionToken with session credentials", {
      status: 403,
    });
  }
  const longest = principal.type === "root" ? 3600 : 129_600;
  const durationSeconds = Math.min(input.DurationSeconds ?? 43_200, longest);
  const { userName, accountId } = principal;
  const session = issueSession(call.lab, {
    accountId,
    durationSeconds,
    ...(userName === undefined ? {} : { userName }),
  });
  return { Credentials: credentialsOf(session) };
}

function decodeAuthorizationMessage(input: DecodeAuthorizationMessageCommandInput, call: Call): object {
  call.authorize({
    action: "sts:DecodeAuthorizationMessage",
    resources: [{ arn: "*", accountId: call.accountId }],
  });
  const decoded = decodeDenial(call.lab.state.collection("denials"), input.EncodedMessage!);
  if (decoded === undefined)
    throw new AwsError("InvalidAuthorizationMessageException", "The message is not valid.", { status: 400 });
  return { DecodedMessage: decoded };
}

function getAccessKeyInfo(input: GetAccessKeyInfoCommandInput, call: Call): object {
  call.authorize({ action: "sts:GetAccessKeyInfo", resources: [{ arn: "*", accountId: call.accountId }] });
  const { accessKeys, sessions } = call.lab.identity;
  const found = accessKeys.get(input.AccessKeyId!) ?? sessions.get(input.AccessKeyId!);
  if (found === undefined)
    throw new AwsError("ValidationError", "The access key is not known.", { status: 400 });
  return { Account: found.accountId };
}
