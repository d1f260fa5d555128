import { isSecretName } from '../../core/secret-names.ts';
import { TOKEN_SHAPES } from '../../core/token-shapes.ts';

/** `API Key: value`, `"API_KEY": "value"`, `TOKEN=value`, with emphasis and quotes wherever they stand. */
const NAMED = /([A-Za-z][\w .-]{1,60}?)["'`*_]*\s*[:=]\s*["'`*_]*\s*([^\s"'`,;<>()[\]{}*]{8,4096})/g;

/**
 * Keys that stand in a document: values under a secret's name that look like no word, and all that has a credential's
 * shape. They are to be masked wherever they appear, and never leave with anything made from the document.
 */
export function keysIn(lines: readonly string[]): string[] {
  const found = new Set<string>();
  for (const line of lines) {
    for (let at = 0; at < line.length; at += 4000) {
      const part = line.slice(at, at + 8000);
      for (const shape of TOKEN_SHAPES) for (const [value] of part.matchAll(shape)) found.add(value);
      for (const [, name = '', value = ''] of part.matchAll(NAMED))
        if (isSecretName(name.trim()) && isValue(value)) found.add(value.replace(/[.,:!?]+$/, ''));
      for (const [, password = ''] of part.matchAll(/\b[a-z][\w+.-]{1,30}:\/\/[^\s:/@]{0,200}:([^\s/@"'`]{6,500})@/gi))
        found.add(password);
    }
  }
  return [...found];
}

/** A word, a path or a placeholder is no key: masking it would mask ordinary text everywhere. */
function isValue(value: string): boolean {
  return /\d/.test(value) && !/^(?:[$<{%/.]|https?:)|\.\.\./.test(value);
}
