/** Temporary credentials of an assumed role. Secret: never logged. */
export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly expiresAtMs: number;
}

/** What the SDK asks for on each call; `expiration` makes it ask again in time. */
export interface SdkCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly expiration?: Date;
}

export type CredentialSource = () => Promise<SdkCredentials>;

/** A source for credentials that never change; for tests and for keys a person gave. */
export function staticCredentials(credentials: AwsCredentials): CredentialSource {
  return async () => toSdkCredentials(credentials);
}

export function toSdkCredentials(credentials: AwsCredentials): SdkCredentials {
  const { accessKeyId, secretAccessKey, sessionToken, expiresAtMs } = credentials;
  return { accessKeyId, secretAccessKey, sessionToken, expiration: new Date(expiresAtMs) };
}
