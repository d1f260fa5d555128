/** Planted secrets, and the search for them in everything that left a process. Nothing here is anybody's. */
import { createHash } from 'node:crypto';

/** One planted secret: what must be seen nowhere, and the text that it was planted in. */
export interface Canary {
  value: string;
  form: string;
  text: string;
}

type Form = [name: string, write: (value: string) => string, make?: (seed: string) => string];

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** Random to look at, the same at every run. */
export function drawn(seed: string, length: number, alphabet = ALPHABET): string {
  let text = '';
  for (let round = 0; text.length < length; round += 1)
    for (const byte of createHash('sha256').update(`${seed} ${round}`).digest())
      text += alphabet[byte % alphabet.length];
  return text.slice(0, length);
}

const HEX = 'abcdef0123456789';
const UPPER = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';
const bare = (value: string) => `saw ${value} there`;
const base64 = (text: string) => Buffer.from(text).toString('base64');
// Joined at run time, so that no file of the repository holds anything that a scanner takes for a token.
const token =
  (prefix: readonly string[], length: number, alphabet?: string) =>
  (seed: string): string =>
    [...prefix, drawn(seed, length, alphabet)].join('');

/** Every one on a line of its own, or on lines of its own. */
const FORMS: readonly Form[] = [
  ['environment', (v) => `DB_PASSWORD=${v}`],
  ['exported', (v) => `export REDIS_TOKEN='${v}'`],
  ['YAML', (v) => `password: ${v}`],
  ['YAML in quotes', (v) => `  clientSecret: "${v}"`],
  ['YAML block', (v) => `signing_key: |\n  ${v}\nafter: here`],
  ['JSON', (v) => `{"api_key":"${v}","a":1}`],
  ['JSON in JSON', (v) => JSON.stringify({ body: JSON.stringify({ password: v }) })],
  ['name and value, YAML', (v) => `- name: X_TOKEN\n  value: ${v}`],
  ['name and value, JSON', (v) => `{"name":"SMTP_PASSWORD","value":"${v}"}`],
  ['bearer', (v) => `Authorization: Bearer ${v}`],
  ['basic', (v) => `authorization: Basic ${base64(`app:${v}`)}`],
  ['header', (v) => `X-Api-Key: ${v}`],
  ['cookie', (v) => `Set-Cookie: sid=${v}; HttpOnly`],
  ['address', (v) => `postgres://app:${v}@db:5432/tta`],
  ['address without user', (v) => `redis://:${v}@redis:6379/0`],
  ['driver', (v) => `app:${v}@tcp(db:3306)/tta`],
  ['connection string', (v) => `Server=db;User Id=app;Password=${v};Encrypt=true`],
  ['storage', (v) => `DefaultEndpointsProtocol=https;AccountName=a;AccountKey=${v};EndpointSuffix=x`],
  ['query', (v) => `GET /cb?access_token=${v}&state=1 HTTP/1.1`],
  ['flag', (v) => `server --db-password ${v} --port 80`],
  ['flag with =', (v) => `server --auth-token=${v} --port 80`],
  ['arguments in JSON', (v) => `["server","--password","${v}"]`],
  ['curl', (v) => `curl -sS -u admin:${v} https://example.org/`],
  ['npmrc', (v) => `//registry.example.org/:_authToken=${v}`],
  ['netrc', (v) => `machine example.org login app password ${v}`],
  ['XML', (v) => `<password>${v}</password>`],
  ['Dockerfile', (v) => `ENV API_TOKEN ${v}`],
  ['HCL', (v) => `  secret_access_key = "${v}"`],
  ['Ruby', (v) => `:password => '${v}'`],
  ['shell default', (v) => `: "\${DB_PASSWORD:-${v}}"`],
  ['sentence', (v) => `the new password is ${v} for now`],
  ['weak name', (v) => `key=${v}`],
  ['base64', (v) => `blob ${base64(`[db]\npassword=${v}\nhost=db\n`)}`],
  [
    'base64 over lines',
    (v) => base64(`# settings of the service\npassword=${v}\nhost=database.example.org\n`).replace(/(.{40})/g, '$1\n'),
  ],
  ['URL-encoded', (v) => `next=${encodeURIComponent(`https://app:${v}@example.org/?a=1`)}`],
  ['hex', (v) => `dump ${Buffer.from(`password=${v} host=db`).toString('hex')}`],
  ['HTML', (v) => `&quot;password&quot;: &quot;${v}&quot;`],
  [
    'Secret in YAML',
    (v) =>
      `apiVersion: v1\nkind: Secret\nmetadata:\n  name: x\ndata:\n  config: ${base64(v)}\nstringData:\n  plain: ${v}\n---`,
  ],
  ['Secret in JSON', (v) => `{"kind":"Secret","data":{"config":"${base64(v)}"},"stringData":{"other":"${v}"}}`],
  ['Engine', (v) => `"Env": ["PATH=/bin","CONFIG=${v}"]`],
  [
    'private key',
    (v) =>
      ['-----BEGIN', 'RSA PRIVATE KEY-----\n'].join(' ') +
      `MIIEow${v}\n${drawn(v, 64)}\n` +
      ['-----END', 'RSA PRIVATE KEY-----'].join(' '),
  ],
  [
    'private key on one line',
    (v) =>
      `k=${['-----BEGIN', 'PRIVATE KEY-----'].join(' ')}\\nMIIEow${v}\\n${['-----END', 'PRIVATE KEY-----'].join(' ')}`,
  ],
  ['GitHub', bare, token(['gh', 'p_'], 36)],
  ['GitHub fine-grained', bare, token(['github', '_pat_'], 82)],
  ['GitLab', bare, token(['gl', 'pat-'], 20)],
  ['AWS key id', bare, token(['AK', 'IA'], 16, UPPER)],
  ['Google', bare, token(['AI', 'za'], 35)],
  ['Slack', bare, (seed) => ['xo', 'xb-', drawn(seed, 12, '0123456789'), '-', drawn(seed, 24)].join('')],
  ['Stripe', bare, token(['sk', '_live_'], 24)],
  ['SendGrid', bare, (seed) => ['S', 'G.', drawn(seed, 22), '.', drawn(`${seed} 2`, 43)].join('')],
  ['npm', bare, token(['np', 'm_'], 36)],
  ['Docker Hub', bare, token(['dckr', '_pat_'], 27)],
  ['Vault', bare, token(['hv', 's.'], 95)],
  ['Grafana', bare, (seed) => ['gl', 'sa_', drawn(seed, 32), '_', drawn(seed, 8, HEX)].join('')],
  ['DigitalOcean', bare, token(['do', 'p_v1_'], 64, HEX)],
  ['PyPI', bare, token(['py', 'pi-AgEIcHlwaS5vcmc'], 70)],
  ['Shopify', bare, token(['sh', 'pat_'], 32, HEX)],
  ['model vendor', bare, token(['sk-', 'ant-api03-'], 95)],
  ['Hugging Face', bare, token(['h', 'f_'], 34, 'abcdefghijklmnopqrstuvwxyz')],
  [
    'JWT',
    bare,
    (seed) => ['ey', 'JhbGciOiJIUzI1NiJ9.eyJzdWIiOiIx', drawn(seed, 30), '.', drawn(`${seed} 2`, 43)].join(''),
  ],
  ['Databricks', bare, token(['da', 'pi'], 32, HEX)],
  ['Tailscale', bare, (seed) => ['ts', 'key-auth-', drawn(seed, 12), '-', drawn(`${seed} 2`, 32)].join('')],
];

/** One of each form, unique to `place`. */
export function canaries(place: string): Canary[] {
  return FORMS.map(([form, write, make = (seed) => drawn(seed, 24)]) => {
    const value = make(`${place} ${form}`);
    return { value, form: `${place}: ${form}`, text: write(value) };
  });
}

/** Where a planted value is in some bytes, in whichever form it could be lying there. */
export function hits(bytes: Buffer, planted: readonly Canary[]): string[] {
  const text = bytes.toString('latin1');
  // Base64 broken over lines as well as whole.
  const joined = text.replace(/\\[nr]|[\s│|]+/g, '');
  return planted.flatMap(({ value, form }) =>
    spellings(value).flatMap(([spelling, how]) =>
      text.includes(spelling) || joined.includes(spelling) ? [`${form} (${how})`] : [],
    ),
  );
}

function spellings(value: string): [spelling: string, how: string][] {
  const bytes = Buffer.from(value);
  const inner = [0, 1, 2].map((shift) =>
    Buffer.concat([Buffer.alloc(shift), bytes])
      .toString('base64')
      .slice(4, -4),
  );
  const url = [...bytes].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
  return [
    [value, 'plain'],
    ...inner.flatMap((text): [string, string][] => [
      [text, 'base64'],
      [text.replaceAll('+', '-').replaceAll('/', '_'), 'base64url'],
    ]),
    [encodeURIComponent(value), 'URL'],
    [url, 'URL'],
    [url.toUpperCase(), 'URL'],
    [bytes.toString('hex'), 'hex'],
    [bytes.toString('hex').toUpperCase(), 'hex'],
  ];
}
