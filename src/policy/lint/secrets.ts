import { fileTarget } from '../../core/paths.ts';
import { tryCall } from './calls.ts';
import { readingOf } from './covering.ts';
import type { Finding, Witness } from './finding.ts';
import { nearMisses } from './near-misses.ts';
import type { Readable } from './near-misses.ts';
import { distinct, likelyPaths, nameWords, pathTest } from './samples.ts';
import { found, matches, placeOf } from './scope.ts';
import type { Check, Scope, Written } from './scope.ts';

/** Files that hold secrets wherever they lie. */
const SECRETS = [
  '.env',
  '.env.local',
  '.env.production',
  'prod.env',
  'secrets/token',
  'secrets/db.txt',
  'secrets/.env',
  '.secrets/token',
  'id_rsa',
  'id_ed25519',
  'server.pem',
  'server.key',
  'server.key.bak',
  'client.p12',
  'client.pfx',
  'keystore.jks',
  'kubeconfig',
  'kubeconfig.yaml',
  '.kube/config',
  '.ssh/id_rsa',
  '.ssh/config',
  '.aws/credentials',
  '.azure/accessTokens.json',
  '.gnupg/secring.gpg',
  '.docker/config.json',
  '.netrc',
  '.npmrc',
  '.pypirc',
  '.pgpass',
  '.git-credentials',
  '.htpasswd',
  '.vault-token',
  'credentials.json',
  'service-account.json',
  'Secrets.toml',
  'terraform.tfstate',
  'terraform.tfstate.backup',
  'terraform.tfvars',
  '.terraformrc',
];

const MOST_FOLDERS = 60;

/** Well-known secrets that the policy lets be read, and the denials that miss them by a little. */
export const secrets: Check = (scope) => {
  const readable = scope.rules.filter(({ entry }) => entry.decision === 'allow').flatMap((rule) => readBy(scope, rule));
  const groups = Map.groupBy(readable, ({ by, pattern }) => `${by.index} ${pattern}`);
  return [...[...groups.values()].flatMap((group) => finding(scope, group)), ...nearMisses(scope, readable)];
};

/** Of each secret the first place where the rule lets it be read. */
function readBy(scope: Scope, by: Written): Readable[] {
  const { entry, rule } = by;
  if (!readingOf(entry).kinds.includes('file') || entry.when.effect?.includes('read') === false) return [];
  const [tool = 'view'] = (entry.when.tool ?? []).flatMap((pattern) => nameWords(pattern, false));
  const patterns = entry.when.path ?? [undefined];
  const folders = foldersOf(entry.when.path);
  return patterns.flatMap((pattern, at) =>
    SECRETS.flatMap((secret): Readable[] => {
      for (const folder of folders) {
        const path = folder === '' ? secret : `${folder}/${secret}`;
        if (pattern !== undefined && !pathTest(pattern, false)(path.split('/'))) continue;
        const target = fileTarget(path, 'read');
        if (!matches(scope, rule, tool, target)) continue;
        const { verdict, rules } = scope.decide(tool, [target]);
        if (verdict !== 'allow') continue;
        const witness = { tool, ...asCall(scope, tool, path), targets: [target], verdict, rules };
        return [{ path, by, pattern: pattern === undefined ? undefined : at, witness }];
      }
      return [];
    }),
  );
}

/** The folders that patterns lead into, the workspace itself as the empty path. */
function foldersOf(patterns: readonly string[] | undefined): string[] {
  const written = (patterns ?? ['**']).flatMap(likelyPaths);
  const folders = written.flatMap((names) => names.map((_, end) => names.slice(0, end).join('/')));
  return distinct(['', ...folders]).slice(0, MOST_FOLDERS);
}

/** The whole call, where the tool names exactly this file from its path. */
function asCall(scope: Scope, tool: string, path: string): Pick<Witness, 'input'> {
  const { targets = [] } = tryCall(scope, { tool, input: { path } }) ?? {};
  return targets.length === 1 && targets[0]?.kind === 'file' && targets[0].path === path ? { input: { path } } : {};
}

function finding(scope: Scope, group: readonly Readable[]): Finding[] {
  const [first] = group;
  if (first === undefined) return [];
  const { by, pattern, witness } = first;
  const paths = group.map(({ path }) => path);
  const more = paths.length > 3 ? ` and ${paths.length - 3} more` : '';
  const written = pattern === undefined ? undefined : by.entry.when.path?.[pattern];
  const place = pattern === undefined ? placeOf(scope, by.index) : placeOf(scope, by.index, 'when', 'path', pattern);
  return [
    found('secrets-readable', place, {
      of: by.entry.id,
      message: `${written === undefined ? 'It' : JSON.stringify(written)} lets secrets be read: ${paths.slice(0, 3).join(', ')}${more}.`,
      fix: "Deny them: decision: deny, when: { kind: file, path: ['**/.env*', '**/secrets/**', …] }; policies/devops.yaml has the whole list.",
      witness,
    }),
  ];
}
