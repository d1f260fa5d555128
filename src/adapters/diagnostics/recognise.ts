/** What a file is, for the rules that apply to it; `template` is what a program has yet to make YAML of. */
export type FileKind = 'dockerfile' | 'compose' | 'kubernetes' | 'workflow' | 'action' | 'template';

/** Files of these names are looked into; see `candidate`. For listings. */
export const CANDIDATES = '**/{Dockerfile*,dockerfile*,Containerfile*,*.Dockerfile,*.dockerfile,*.yml,*.yaml}';

const DOCKERFILE = /^(?:(?:docker|container)file(?:\..+)?|.+\.dockerfile)$/i;
/** `Dockerfile.md` and the like speak of a Dockerfile and are none. */
const NO_DOCKERFILE = /\.(?:dockerignore|md|txt|rst|adoc|j2|tmpl|tpl|erb|bak|orig|png|svg|sh|py|js|ts|json|ya?ml)$/i;
const COMPOSE = /^(?:.*[.-])?compose(?:[.-].+)?\.ya?ml$/i;
const WORKFLOW = /(?:^|\/)\.github\/workflows\/[^/]+\.ya?ml$/i;
const ACTION = /^action\.ya?ml$/i;

function nameOf(path: string): string {
  return path.split('/').at(-1) ?? path;
}

/** Whether a file of this name may be one that is checked; of YAML and JSON only the content tells. */
export function isCandidate(path: string): boolean {
  return isDockerfile(path) || /\.(?:ya?ml|json)$/i.test(path);
}

export function isDockerfile(path: string): boolean {
  const name = nameOf(path);
  return DOCKERFILE.test(name) && !NO_DOCKERFILE.test(name);
}

/** What a YAML file is by its name alone; undefined where only the content can tell. */
export function kindByName(path: string): 'compose' | 'workflow' | 'action' | undefined {
  if (WORKFLOW.test(path)) return 'workflow';
  const name = nameOf(path);
  if (ACTION.test(name)) return 'action';
  return COMPOSE.test(name) ? 'compose' : undefined;
}

/** Whether a YAML text is a template of Helm’s or another program’s: it has `{{ }}` that is no GitHub expression. */
export function isTemplate(path: string, text: string): boolean {
  if (!/(?:^|[^$])\{\{/.test(text)) return false;
  return /(?:^|\/)templates\//.test(path) || /^\s*(?:-\s+)?\{\{|:\s*\{\{|\{\{-/m.test(text);
}

/** Whether a text that cannot be read as YAML was meant to be a manifest. */
export function looksLikeManifest(text: string): boolean {
  return /^apiVersion:/m.test(text) && /^kind:/m.test(text);
}
