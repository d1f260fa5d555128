interface Creation {
  challenge: string;
  user: { id: string; name: string; displayName: string };
  excludeCredentials: { type: 'public-key'; id: string }[];
  [rest: string]: unknown;
}

export interface Assertion {
  credentialId: string;
  authenticatorData: string;
  clientDataJSON: string;
  signature: string;
}

/** Whether this browser has passkeys at all: it has none at an address that is neither https nor localhost. */
export const hasPasskeys = (): boolean => 'PublicKeyCredential' in window;

/** Lets the person make a passkey here. */
export async function createPasskey(options: Creation) {
  const publicKey = {
    ...options,
    challenge: bytes(options.challenge),
    user: { ...options.user, id: bytes(options.user.id) },
    excludeCredentials: options.excludeCredentials.map((each) => ({ ...each, id: bytes(each.id) })),
  } as unknown as PublicKeyCredentialCreationOptions;
  const made = (await asked(() => navigator.credentials.create({ publicKey }))) as PublicKeyCredential;
  const response = made.response as AuthenticatorAttestationResponse;
  return {
    id: text(made.rawId),
    attestationObject: text(response.attestationObject),
    clientDataJSON: text(response.clientDataJSON),
    transports: response.getTransports(),
  };
}

/** Has a challenge signed: with this passkey, or with any of the place's. */
export async function signWithPasskey(
  challenge: string,
  rpId: string,
  credential?: { id: string; transports: string[] },
): Promise<Assertion> {
  const publicKey: PublicKeyCredentialRequestOptions = {
    challenge: bytes(challenge),
    rpId,
    userVerification: 'required',
    timeout: 300_000,
    ...(credential && {
      allowCredentials: [
        { type: 'public-key', id: bytes(credential.id), transports: credential.transports as AuthenticatorTransport[] },
      ],
    }),
  };
  const made = (await asked(() => navigator.credentials.get({ publicKey }))) as PublicKeyCredential;
  const response = made.response as AuthenticatorAssertionResponse;
  return {
    credentialId: text(made.rawId),
    authenticatorData: text(response.authenticatorData),
    clientDataJSON: text(response.clientDataJSON),
    signature: text(response.signature),
  };
}

async function asked(ask: () => Promise<Credential | null>): Promise<Credential> {
  try {
    const answer = await ask();
    if (answer) return answer;
  } catch (error) {
    const name = error instanceof DOMException ? error.name : '';
    if (name === 'InvalidStateError')
      throw new Error('This authenticator has a passkey of yours already.', { cause: error });
    if (name !== 'NotAllowedError' && name !== 'AbortError') throw error;
  }
  throw new Error('The passkey was not used: the prompt was closed, or its time was over. Nothing was changed.');
}

function bytes(base64url: string): Uint8Array<ArrayBuffer> {
  const binary = atob(base64url.replaceAll('-', '+').replaceAll('_', '/'));
  return Uint8Array.from(binary, (char) => char.codePointAt(0) ?? 0);
}

function text(buffer: ArrayBuffer): string {
  const binary = Array.from(new Uint8Array(buffer), (byte) => String.fromCodePoint(byte)).join('');
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}
