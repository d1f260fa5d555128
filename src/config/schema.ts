import { z } from 'zod';

import { auth, httpAuth } from './auth.ts';
import { duration, secret } from './fields.ts';
import { registries } from './registries.ts';
import { upstreams } from './upstreams.ts';

const address = z.string().transform((text, context) => {
  const match = /^(?:(?<host>\[[0-9a-fA-F:]+\]|[^:]*):)?(?<port>\d{1,5})$/.exec(text.trim());
  const port = Number(match?.groups?.['port']);
  if (match && port <= 65_535) return { host: (match.groups?.['host'] || '127.0.0.1').replace(/^\[|\]$/g, ''), port };
  context.addIssue({ code: 'custom', message: `"${text}" is no address; write HOST:PORT, such as 127.0.0.1:7117` });
  return z.NEVER;
});

const url = z.string().transform((text, context) => {
  if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol) && new URL(text).username === '')
    return text.replace(/\/+$/, '');
  context.addIssue({
    code: 'custom',
    message: 'write an address with http:// or https:// and without a user or password, such as http://127.0.0.1:9090',
  });
  return z.NEVER;
});

/** An address without a path: what a browser calls an origin. */
const origin = url.transform((text, context) => {
  if (new URL(text).origin === text.toLowerCase()) return text.toLowerCase();
  context.addIssue({ code: 'custom', message: 'write the address without a path, such as https://holdpoint.example' });
  return z.NEVER;
});

/** Where something is told as JSON. May hold a token in its path or query, so that it is masked as secrets are. */
const webhook = secret.refine(isWebhook, { error: 'write an address with https:// (http:// on this machine alone)' });

function isWebhook(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname } = new URL(text);
  return protocol === 'https:' || (protocol === 'http:' && ['localhost', '127.0.0.1', '[::1]'].includes(hostname));
}

/** Somewhere that keeps checkpoints of the audit log, out of the server's reach. */
const checkpointPlace = z
  .strictObject({
    file: z.string().startsWith('/', 'write an absolute path').optional(),
    git: z.string().startsWith('/', 'write the absolute path of a repository').optional(),
    ref: z
      .string()
      .regex(/^refs(?:\/[\w-][\w.-]*){2,}$/, 'write a ref, such as refs/holdpoint/checkpoints')
      .optional(),
    webhook: webhook.optional(),
  })
  .refine(({ file, git, webhook }) => [file, git, webhook].filter((each) => each !== undefined).length === 1, {
    error: 'write one of file, git and webhook',
  });

/** What `holdpoint.yaml` may hold. Everything has a default; flags win over environment variables, these over the file. */
export const schema = z.strictObject({
  workspace: z.string().optional(),
  state: z.string().optional(),
  keys: z.string().optional(),
  persona: z.string().default('devops'),
  policy: z.string().optional(),
  tools: z.enum(['persona', 'all']).default('persona'),
  stdio: z.boolean().optional(),
  http: address.optional(),
  httpAuth,
  auth: auth.optional(),
  kubernetes: z.strictObject({ kubeconfig: z.string().optional() }).prefault({}),
  docker: z.strictObject({ host: z.string().optional(), registries: registries.default([]) }).prefault({}),
  github: z
    .strictObject({
      url: url.default('https://api.github.com'),
      token: secret.optional(),
      repository: z
        .string()
        .regex(/^[\w.-]+\/[\w.-]+$/, 'write OWNER/NAME')
        .optional(),
    })
    .prefault({}),
  monitoring: z
    .strictObject({
      grafana: z.strictObject({ url, token: secret.optional() }).optional(),
      prometheus: z.strictObject({ url, token: secret.optional() }).optional(),
      alertmanager: z.strictObject({ url, token: secret.optional() }).optional(),
    })
    .prefault({}),
  tasks: z.strictObject({ url: url.optional(), key: secret.optional() }).prefault({}),
  processes: z
    .strictObject({
      sandbox: z.enum(['auto', 'required', 'off']).default('auto'),
      memoryMb: z.int().min(16).max(1_048_576).default(2048),
      maxProcesses: z.int().min(1).max(32_768).default(256),
      readable: z.record(z.string(), z.array(z.string().startsWith('/', 'write an absolute path'))).default({}),
    })
    .prefault({}),
  upstreams: upstreams.prefault({}),
  web: z.strictObject({ privateHosts: z.array(z.string()).default([]) }).prefault({}),
  results: z.strictObject({ maxBytes: z.int().min(1024).max(1_048_576).default(8192) }).prefault({}),
  approvals: z
    .strictObject({
      lease: duration.default(60_000),
      refuseAfterDenial: duration.default(600_000),
      pendingPerPrincipal: z.int().min(1).default(20),
      requestsPerMinute: z.int().min(1).default(10),
    })
    .prefault({}),
  console: z
    .strictObject({ enabled: z.boolean().default(true), url: origin.optional(), session: duration.default(28_800_000) })
    .prefault({}),
  alerts: z.strictObject({ webhook: webhook.optional() }).prefault({}),
  audit: z
    .strictObject({
      checkpoints: z.array(checkpointPlace).default([]),
      checkpointEvery: duration.default(600_000),
      checkpointRecords: z.int().min(1).max(1_000_000).default(1000),
    })
    .prefault({}),
  undo: z
    .strictObject({
      copies: z.int().min(100).max(1_000_000).default(10_000),
      megabytes: z.int().min(128).max(1_048_576).default(2048),
      keepFor: duration.default(90 * 86_400_000),
    })
    .prefault({}),
  limits: z
    .strictObject({
      callsPerMinute: z.int().min(1).max(1_000_000).default(600),
      concurrentCalls: z.int().min(1).max(10_000).default(32),
    })
    .prefault({}),
  log: z.enum(['silent', 'error', 'warn', 'info', 'debug']).default('info'),
});

export type Settings = z.output<typeof schema>;

/** The values that the schema marks secret and that are given. */
export function secretsIn(type: z.core.$ZodType, value: unknown): string[] {
  if (z.globalRegistry.get(type)?.['secret'] === true) return typeof value === 'string' ? [value] : [];
  if (type instanceof z.ZodOptional || type instanceof z.ZodPrefault || type instanceof z.ZodDefault)
    return secretsIn(type.def.innerType, value);
  if (type instanceof z.ZodArray)
    return Array.isArray(value) ? value.flatMap((each) => secretsIn(type.def.element, each)) : [];
  if (!(type instanceof z.ZodObject) || typeof value !== 'object' || value === null) return [];
  return Object.entries(type.shape).flatMap(([key, inner]) =>
    secretsIn(inner as z.core.$ZodType, (value as Record<string, unknown>)[key]),
  );
}
