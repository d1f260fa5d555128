import { PatternError } from '../../policy/braces.ts';
import { pathPattern } from '../../policy/patterns.ts';
import type { Access } from './facts.ts';

/**
 * What a document writes of files as a pattern of the policy's, or why it is none. A pattern that allows must name something:
 * the whole workspace is nobody's.
 */
export function patternOf(written: string, access: Access): { pattern: string } | { refused: string } {
  const name = written
    .trim()
    .replace(/^["']|["']$/g, '')
    .replace(/\s+(?:files?|folders?|director(?:y|ies))$/i, '')
    .replace(/^\.\//, '');
  if (/^(?:\/|~|[a-z]:|\\|\w+:\/\/)/i.test(name) || name.split('/').includes('..'))
    return { refused: 'it is no path inside the workspace' };
  // A name may have blanks; words alone are none, and of what closes nothing is left out that could be a name.
  if (/\s/.test(name) && !(access === 'deny' && /[./*]/.test(name))) return { refused: 'it is no path' };
  const pattern = name.endsWith('/') ? `${name}**/*` : name;
  if (access !== 'deny' && !/[\p{L}\p{N}]/u.test(pattern.replace(/\[[^\]]*\]/g, '')))
    return { refused: 'it names nothing and would be the whole workspace' };
  try {
    pathPattern(pattern, access === 'deny');
  } catch (error) {
    if (!(error instanceof PatternError)) throw error;
    return { refused: error.message };
  }
  return { pattern };
}

/** What a pattern begins with up to its first wildcard. */
export function literalStart(pattern: string): string {
  return /^[^*?[{]*/.exec(pattern)?.[0] ?? '';
}

const EXTENSION =
  /\.(?:md|mdx|json|jsonc|ya?ml|toml|tf|hcl|sh|sql|conf|cfg|ini|txt|csv|xml|env|py|rs|go|ts|tsx|js|jsx|java|rb|lock|j2|service|dockerfile)$/i;
const BARE =
  /^(?:Dockerfile|Jenkinsfile|Makefile|Procfile|Vagrantfile|\.(?:dockerignore|gitlab-ci\.yml|gitignore|env))$/;

/** Whether what stands in code ticks is a file, a folder or a pattern. */
export function isPath(span: string): boolean {
  if (span.length > 200 || /[\s<>"'$|;=()]|:\/\//.test(span) || /^[/~-]/.test(span)) return false;
  return BARE.test(span) || EXTENSION.test(span) || (/\//.test(span) && /(?:\/|\*)$/.test(span));
}
