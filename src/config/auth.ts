import { z } from 'zod';

import { SCOPES, TOOL_SCOPES } from '../core/scopes.ts';
import { duration, secret } from './fields.ts';

const LOOPBACK = /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

/** The usual name of the one token that `httpAuth.token` sets or that is made. */
export const ONE_TOKEN = 'http';

const token = secret.min(16).meta({ secret: true });

const named = z.strictObject({
  /** Its bearer's name as a client: principals, approvals and the audit log have it. */
  name: z
    .string()
    .regex(/^[A-Za-z0-9][\w.-]{0,63}$/, 'write a name of letters, digits and . _ -')
    .refine((name) => name !== ONE_TOKEN, `"${ONE_TOKEN}" is the name of httpAuth.token; choose another`),
  token,
  scopes: z
    .array(z.enum(SCOPES))
    .min(1)
    .default([...TOOL_SCOPES]),
});

/** Tokens that the operator gives out. */
export const httpAuth = z
  .strictObject({
    token: token.optional(),
    tokens: z.array(named).default([]),
    allowedHosts: z.array(z.string()).default([]),
  })
  .refine(({ tokens }) => new Set(tokens.map(({ name }) => name)).size === tokens.length, {
    path: ['tokens'],
    message: 'two tokens have the same name; a name is one principal',
  })
  .refine(
    ({ token: one, tokens }) => {
      const values = [...tokens.map((each) => each.token), ...(one === undefined ? [] : [one])];
      return new Set(values).size === values.length;
    },
    { path: ['tokens'], message: 'two names have the same token; give each one of its own' },
  )
  .prefault({});

/** Signatures with a key pair alone: with a shared secret, whoever can check a token could make one. */
const ALGORITHMS = [
  'RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519',
] as const; // prettier-ignore

const safeUrl = z
  .string()
  .refine(isSafe, 'write an https:// address without user, query and fragment; http:// only on this machine');

/** Tokens of an authorization server: JWTs, checked with its published keys. */
export const auth = z.strictObject({
  /** Exactly as tokens have it in `iss`. */
  issuer: safeUrl,
  /** What `aud` must name: this server. */
  audience: z
    .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
    .transform((given): readonly string[] => (typeof given === 'string' ? [given] : given)),
  jwksUri: safeUrl,
  algorithms: z.array(z.enum(ALGORITHMS)).min(1).default(['RS256', 'PS256', 'ES256', 'EdDSA', 'Ed25519']),
  clockSkew: duration.refine((ms) => ms <= 300_000, 'at most 5m').default(30_000),
  /** The address of `/mcp` as clients know it. */
  resource: safeUrl.optional(),
});

function isSafe(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, username, password, search, hash } = new URL(text);
  if (username !== '' || password !== '' || search !== '' || hash !== '') return false;
  return protocol === 'https:' || (protocol === 'http:' && LOOPBACK.test(hostname));
}
