import type { AuthInfo } from '@modelcontextprotocol/server';
import type { JWTPayload, RemoteJWKSet } from 'jose';

/** How tokens of the authorization server are checked; the settings `auth` of the configuration. */
export interface JwtSettings {
  issuer: string;
  /** One of these must be in `aud`. */
  audience: readonly string[];
  jwksUri: string;
  algorithms: readonly string[];
  /** Milliseconds. */
  clockSkew: number;
  /** Milliseconds before a key that is not known is looked for again. */
  cooldown?: number;
}

/** `unavailable`: the token may be good, but the keys cannot be had. Reasons are of our own words. */
export type Checked = { auth: AuthInfo } | { invalid: string } | { unavailable: string };

const MAX_JWKS_BYTES = 262_144;
const MAX_NAME = 200;
/** Milliseconds. */
const FETCH_LIMIT = 5000;
const COOLDOWN = 30_000;
const KEEP = 600_000;
const AFTER_FAILURE = 5000;

/** Access tokens and plain JWTs; a logout token or a security event of the same issuer is none. */
const TYPES: ReadonlySet<string> = new Set(['jwt', 'at+jwt', 'application/at+jwt']);

/** Checks tokens of one authorization server. The library and the keys are loaded when the first token comes. */
export function createJwtCheck(settings: JwtSettings): (token: string) => Promise<Checked> {
  const { issuer, audience, jwksUri, algorithms, clockSkew, cooldown = COOLDOWN } = settings;
  let keys: RemoteJWKSet | undefined;
  return async (token) => {
    const { createRemoteJWKSet, customFetch, errors, jwtVerify } = await import('jose');
    keys ??= createRemoteJWKSet(new URL(jwksUri), {
      timeoutDuration: FETCH_LIMIT,
      cooldownDuration: cooldown,
      cacheMaxAge: KEEP,
      [customFetch]: boundedFetch(),
    });
    try {
      const { payload, protectedHeader } = await jwtVerify(token, keys, {
        issuer,
        audience: [...audience],
        algorithms: [...algorithms],
        clockTolerance: Math.floor(clockSkew / 1000),
        requiredClaims: ['sub', 'exp'],
      });
      if (protectedHeader.typ !== undefined && !TYPES.has(protectedHeader.typ.toLowerCase()))
        return { invalid: 'this is no access token' };
      return authOf(payload, issuer);
    } catch (error) {
      if (!(error instanceof errors.JOSEError) || UNAVAILABLE.has(error.code))
        return { unavailable: 'The keys of the authorization server cannot be had.' };
      if (error instanceof errors.JWTExpired) return { invalid: 'the token has expired' };
      if (error instanceof errors.JWTClaimValidationFailed)
        return { invalid: `the claim ${/^[a-z]{2,10}$/.exec(error.claim)?.[0] ?? 'set'} is not right for this server` };
      return { invalid: 'the signature cannot be verified' };
    }
  };
}

/** Of getting the keys, not of the token. */
const UNAVAILABLE: ReadonlySet<string> = new Set(['ERR_JWKS_TIMEOUT', 'ERR_JWKS_INVALID', 'ERR_JOSE_GENERIC']);

/** The subject at its issuer, so that it is never the same as a person of this machine; nothing that changes with the token. */
function authOf(payload: JWTPayload, issuer: string): Checked {
  const client = payload['client_id'] ?? payload['azp'];
  const { sub, exp } = payload;
  if (!isName(sub)) return { invalid: 'the claim sub is not right for this server' };
  if (!isName(client)) return { invalid: 'the token names no client (client_id or azp)' };
  return {
    auth: {
      token: 'checked',
      clientId: client,
      scopes: scopesOf(payload),
      ...(exp === undefined ? {} : { expiresAt: exp }),
      extra: { person: `${sub}@${new URL(issuer).host}` },
    },
  };
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= MAX_NAME && !/[\p{Cc}\p{Cf}\p{Cs}]/u.test(value);
}

/** `scope` as in RFC 9068, or `scp` as some servers write it. */
function scopesOf(payload: JWTPayload): string[] {
  const claimed = payload['scope'] ?? payload['scp'];
  const list: unknown[] = typeof claimed === 'string' ? claimed.split(' ') : Array.isArray(claimed) ? claimed : [];
  return list.filter((each) => typeof each === 'string');
}

/** Reads a bounded number of bytes, and after a failure waits: a stranger's tokens must not make us call the server again and again. */
function boundedFetch() {
  let failed = -Infinity;
  return async (url: string, options: RequestInit): Promise<Response> => {
    if (performance.now() - failed < AFTER_FAILURE) throw new Error('The keys could not be had a moment ago.');
    try {
      const response = await fetch(url, options);
      if (response.status !== 200) throw new Error(`The keys' address answered ${response.status}.`);
      const chunks: Uint8Array[] = [];
      let bytes = 0;
      for await (const chunk of response.body ?? []) {
        bytes += (chunk as Uint8Array).byteLength;
        if (bytes > MAX_JWKS_BYTES) throw new Error(`The keys are larger than ${MAX_JWKS_BYTES / 1024} KiB.`);
        chunks.push(chunk as Uint8Array);
      }
      return new Response(Buffer.concat(chunks), { status: 200 });
    } catch (error) {
      failed = performance.now();
      throw error;
    }
  };
}
