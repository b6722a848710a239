import type { LabService } from "../../wire/operation-handler.ts";
import * as aliases from "./alias-operations.ts";
import * as crypto from "./crypto-operations.ts";
import * as grants from "./grant-operations.ts";
import * as keys from "./key-operations.ts";

/** AWS Key Management Service: symmetric keys, what envelope encryption needs. */
export const kmsService: LabService = {
  signingName: "kms",
  load: async () => {
    const module = await import("@aws-sdk/client-kms");
    return { module, client: new module.KMSClient({ region: "us-east-1" }) };
  },
  deniedCode: "AccessDeniedException",
  // A grantee retires its grant without further permission.
  unauthorised: ["RetireGrant"],
  operations: {
    CreateKey: keys.createKey,
    DescribeKey: keys.describeKey,
    ListKeys: keys.listKeys,
    GetKeyPolicy: keys.getKeyPolicy,
    ListKeyPolicies: keys.listKeyPolicies,
    PutKeyPolicy: keys.putKeyPolicy,
    EnableKey: keys.enableKey,
    DisableKey: keys.disableKey,
    ScheduleKeyDeletion: keys.scheduleKeyDeletion,
    CancelKeyDeletion: keys.cancelKeyDeletion,
    TagResource: keys.tagResource,
    UntagResource: keys.untagResource,
    ListResourceTags: keys.listResourceTags,
    CreateAlias: aliases.createAlias,
    UpdateAlias: aliases.updateAlias,
    DeleteAlias: aliases.deleteAlias,
    ListAliases: aliases.listAliases,
    CreateGrant: grants.createGrant,
    ListGrants: grants.listGrants,
    RevokeGrant: grants.revokeGrant,
    RetireGrant: grants.retireGrant,
    Encrypt: crypto.encrypt,
    Decrypt: crypto.decrypt,
    ReEncrypt: crypto.reEncrypt,
    GenerateDataKey: crypto.generateDataKey,
    GenerateDataKeyWithoutPlaintext: crypto.generateDataKeyWithoutPlaintext,
    GenerateRandom: crypto.generateRandom,
  },
};
