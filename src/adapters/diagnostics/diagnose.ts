import { COMPOSE_RULES } from './compose-rules.ts';
import { readCompose } from './compose-source.ts';
import { DOCKERFILE_COPY_RULES } from './dockerfile-copy-rules.ts';
import { DOCKERFILE_IMAGE_RULES } from './dockerfile-image-rules.ts';
import { DOCKERFILE_RUN_RULES } from './dockerfile-run-rules.ts';
import { readDockerfileSource } from './dockerfile-source.ts';
import type { Dockerfile } from './dockerfile-source.ts';
import { applyRules, compareFindings, syntaxFinding } from './finding.ts';
import type { Finding, Found } from './finding.ts';
import { KUBERNETES_OBJECT_RULES } from './kubernetes-object-rules.ts';
import { KUBERNETES_POD_RULES } from './kubernetes-pod-rules.ts';
import { KUBERNETES_SECURITY_RULES } from './kubernetes-security-rules.ts';
import { companionsOf, isManifest, readManifests } from './kubernetes-source.ts';
import type { Companions, Manifests } from './kubernetes-source.ts';
import { isDockerfile, isTemplate, kindByName, looksLikeManifest } from './recognise.ts';
import type { FileKind } from './recognise.ts';
import { WORKFLOW_JOB_RULES } from './workflow-job-rules.ts';
import { readAction, readWorkflowFile } from './workflow-source.ts';
import type { Workflow } from './workflow-source.ts';
import { WORKFLOW_STEP_RULES } from './workflow-step-rules.ts';
import { at, entries, isMapping, readYaml, text } from './yaml-tree.ts';
import type { YamlNode } from './yaml-tree.ts';

/** Bytes of a file that is read; larger ones are no files that people write. */
export const MAX_FILE = 512 * 1024;

/** Every rule, by the kind of file it is for. */
export const RULES = {
  dockerfile: [...DOCKERFILE_IMAGE_RULES, ...DOCKERFILE_COPY_RULES, ...DOCKERFILE_RUN_RULES],
  compose: COMPOSE_RULES,
  kubernetes: [...KUBERNETES_POD_RULES, ...KUBERNETES_SECURITY_RULES, ...KUBERNETES_OBJECT_RULES],
  workflow: [...WORKFLOW_JOB_RULES, ...WORKFLOW_STEP_RULES],
  action: WORKFLOW_STEP_RULES,
} as const;

/** A file that was recognised and read; what it holds waits for the other files. */
export interface ReadFile {
  path: string;
  kind: FileKind;
  problems: Found[];
  dockerfile?: Dockerfile;
  manifests?: Manifests;
  compose?: ReturnType<typeof readCompose>;
  workflow?: Workflow;
}

/** What lies around the files that are checked. */
export interface Surroundings {
  /** Whether a .dockerignore applies to builds from this Dockerfile; true where that may not be known. */
  ignores: (dockerfile: string) => boolean;
}

/** Reads a file as what its name and content say it is; undefined where it is nothing that is checked. Never throws. */
export function readChecked(path: string, source: string): ReadFile | undefined {
  // A byte order mark is no part of the text; a zero byte is in no text.
  const content = source.replace(/^\uFEFF/, '');
  if (content.includes('\0')) return undefined;
  if (isDockerfile(path)) {
    const dockerfile = readDockerfileSource(content);
    return { path, kind: 'dockerfile', problems: dockerfile.problems, dockerfile };
  }
  return /\.(?:ya?ml|json)$/i.test(path) ? readYamlFile(path, content) : undefined;
}

function readYamlFile(path: string, content: string): ReadFile | undefined {
  const byName = kindByName(path);
  if (byName === undefined && isTemplate(path, content)) return { path, kind: 'template', problems: [] };
  const { documents, problems } = readYaml(content);
  const [first] = documents;
  if (byName === 'workflow') {
    if (!isMapping(first) || !first)
      return { path, kind: 'workflow', problems: [...problems, { line: 1, what: 'holds no mapping' }].slice(0, 1) };
    const read = readWorkflowFile(first);
    return {
      path,
      kind: 'workflow',
      problems: problems.length > 0 ? problems : read.problems,
      workflow: read.workflow,
    };
  }
  if (byName === 'action') {
    // Actions in JavaScript or Docker have no steps to look at.
    const isComposite = text(at(first, 'runs', 'using')) === 'composite';
    if (first && isComposite) return { path, kind: 'action', problems, workflow: readAction(first) };
    return problems.length > 0 ? { path, kind: 'action', problems } : undefined;
  }
  if (documents.some(isManifest)) return { path, kind: 'kubernetes', problems, manifests: readManifests(documents) };
  if (first && (byName === 'compose' ? isMapping(at(first, 'services')) : isCompose(first)))
    return { path, kind: 'compose', problems, compose: readCompose(first) };
  if (problems.length === 0) return undefined;
  if (byName !== undefined) return { path, kind: byName, problems };
  return looksLikeManifest(content) ? { path, kind: 'kubernetes', problems } : undefined;
}

/** By content: services, each with an image or a build. */
function isCompose(root: YamlNode): boolean {
  const services = entries(at(root, 'services'));
  return services.length > 0 && services.every(([, service]) => at(service, 'image') ?? at(service, 'build'));
}

/** All findings of files that belong together, worst first. Pure, and never throws. */
export function diagnose(files: readonly ReadFile[], { ignores }: Surroundings): Finding[] {
  const companions = companionsOf(files.flatMap(({ manifests }) => manifests?.objects ?? []));
  return files.flatMap((file) => findingsOf(file, companions, ignores)).sort(compareFindings);
}

function findingsOf(file: ReadFile, companions: Companions, ignores: Surroundings['ignores']): Finding[] {
  const { path, kind, problems, dockerfile, manifests, compose, workflow } = file;
  return [
    ...problems.map((problem) => syntaxFinding(path, problem)),
    ...(dockerfile ? applyRules(RULES.dockerfile, { ...dockerfile, ignores: ignores(path) }, path) : []),
    ...(manifests ? applyRules(RULES.kubernetes, { ...manifests, ...companions }, path) : []),
    ...(compose ? applyRules(RULES.compose, compose, path) : []),
    ...(workflow ? applyRules(kind === 'action' ? RULES.action : RULES.workflow, workflow, path) : []),
  ];
}
