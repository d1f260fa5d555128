import type { Cited } from './facts.ts';
import type { Entry } from './markdown.ts';
import { isElsewhere, isReference } from './senses.ts';

/** Kinds of files that a role is said to make, and where such files lie by convention. */
const KINDS: readonly { says: RegExp; patterns: readonly string[] }[] = [
  {
    says: /\bDockerfiles?\b|\bDocker (?:and\b|&|images?\b|containers?\b|configuration\b)/,
    patterns: ['**/Dockerfile', '**/Dockerfile.*', '**/*.Dockerfile', '**/.dockerignore', 'docker/**/*'],
  },
  {
    says: /\bdocker[- ]compose\b/i,
    patterns: ['**/docker-compose*.{yml,yaml}', '**/compose*.{yml,yaml}'],
  },
  { says: /\bk8s\b|\bkubernetes\b/i, patterns: ['{kubernetes,k8s}/**/*.{yml,yaml}'] },
  { says: /\bhelm\b/i, patterns: ['{helm,charts}/**/*'] },
  {
    says: /\bgithub actions\b/i,
    patterns: ['.github/workflows/**/*.{yml,yaml}', '.github/actions/**/action.{yml,yaml}'],
  },
  { says: /\bgitlab\b/i, patterns: ['.gitlab-ci.yml'] },
  { says: /\bjenkins\b/i, patterns: ['Jenkinsfile'] },
  { says: /\bterraform\b/i, patterns: ['terraform/**/*.{tf,tf.json,tftest.hcl}', 'terraform/**/.terraform.lock.hcl'] },
  { says: /\bcloudformation\b/i, patterns: ['cloudformation/**/*.{yml,yaml,json}'] },
  { says: /\bansible\b/i, patterns: ['ansible/**/*'] },
  { says: /\bECS\b/, patterns: ['ecs*.json', 'ecs/**/*.json'] },
  { says: /\bprometheus\b|\bgrafana dashboards?\b/i, patterns: ['monitoring/**/*'] },
  { says: /\bShuttle\.toml\b/, patterns: ['Shuttle.toml'] },
  { says: /\bSecrets\.toml\b/, patterns: ['Secrets.toml'] },
  { says: /\bdatabase setup and migrations\b|\bwrite migrations\b/i, patterns: ['migrations/**/*.sql'] },
  { says: /\bADRs?\b/, patterns: ['docs/{adr,adrs,decisions}/**/*.md'] },
  { says: /\bdocument\b.*\bin (?:the )?README\b/i, patterns: ['README.md'] },
  { says: /\bupdate OpenAPI\b/i, patterns: ['**/openapi*.{yml,yaml,json}'] },
  { says: /\bcreate docs for\b/i, patterns: ['docs/**/*.md'] },
];

/** Languages in which a role that writes endpoints or tests works, by the word that names them. */
const LANGUAGES: readonly (readonly [RegExp, string])[] = [
  [/\brust\b/i, 'rs'],
  [/\bpython\b/i, 'py'],
  [/\btypescript\b/i, 'ts'],
  [/\bgolang\b|\bgo \(/i, 'go'],
];

const TESTS = /\bchanges require tests\b|\bwrite (?:unit |integration |contract )*tests\b/i;
const ENDPOINTS = /\bendpoint implementation\b|\bimplement\b.*\bendpoints?\b/i;

export interface Made extends Cited {
  pattern: string;
}

/** The files of every kind that the document says the role makes, each with the first line that says so. */
export function madeKinds(entries: readonly Entry[]): {
  files: Made[];
  /** Lines that make application code or tests the role's own, with their language. */
  grants: ReadonlySet<'code' | 'tests'>;
} {
  const said = entries.filter(
    ({ kind, path }) => kind !== 'code' && kind !== 'heading' && !isReference(path) && !isElsewhere(path),
  );
  const first = (says: RegExp) => said.find(({ text }) => text.length < 2000 && says.test(text));
  const files = KINDS.flatMap(({ says, patterns }) => {
    const entry = first(says);
    return entry === undefined ? [] : patterns.map((pattern) => ({ pattern, ...citedOf(entry) }));
  });
  const grants = new Set<'code' | 'tests'>();
  const language = said.flatMap((entry) => {
    const found = /\bskills?\b/i.test(entry.path.join(' ')) && LANGUAGES.find(([says]) => says.test(entry.text));
    return found ? [found[1]] : [];
  })[0];
  const grant = (what: 'code' | 'tests', says: RegExp, folders: string) => {
    const entry = first(says);
    if (entry === undefined || language === undefined || /\bno test|\bnot write\b/i.test(entry.text)) return;
    grants.add(what);
    files.push({ pattern: `${folders}/**/*.${language}`, ...citedOf(entry) });
  };
  grant('code', ENDPOINTS, '{src,crates}');
  grant('tests', TESTS, 'tests');
  return { files, grants };
}

function citedOf({ line, text }: Entry): Cited {
  return { line, words: text };
}
