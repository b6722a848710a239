export interface KeyPairRecord {
  readonly keyPairId: string;
  readonly keyName: string;
  readonly accountId: string;
  readonly region: string;
  readonly fingerprint: string;
  readonly publicKey: string;
  readonly keyType: "ed25519" | "rsa";
  readonly createdAtMs: number;
  readonly tags: Readonly<Record<string, string>>;
}
