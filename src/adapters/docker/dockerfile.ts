export interface Dockerfile {
  /** Images that it builds on or copies from, `${…}` filled in as far as it can be; stages and `scratch` left out. */
  images: string[];
  /** What COPY and ADD take from the context. */
  copies: { line: number; source: string }[];
}

interface Instruction {
  line: number;
  word: string;
  rest: string;
}

/**
 * The parts of a Dockerfile that a plan speaks of. It reads what the Engine will build and judges nothing: what it does
 * not understand it leaves to the Engine.
 */
export function readDockerfile(text: string, buildArgs: Readonly<Record<string, string>>): Dockerfile {
  const globals: Record<string, string> = {};
  const stages = new Set<string>();
  const images: string[] = [];
  const copies: Dockerfile['copies'] = [];
  let stageCount = 0;
  for (const { line, word, rest } of instructions(text)) {
    if (word === 'ARG' && stageCount === 0) {
      for (const declaration of rest.split(/\s+/)) {
        const [name = '', value = ''] = declaration.split(/=(.*)/s);
        globals[name] =
          (Object.hasOwn(buildArgs, name) ? buildArgs[name] : undefined) ?? value.replace(/^(["'])(.*)\1$/, '$2');
      }
    } else if (word === 'FROM') {
      const [image = '', as = '', stage = ''] = rest.replace(/^(--\S+\s+)+/, '').split(/\s+/);
      const named = filled(image, globals);
      if (!stages.has(named.toLowerCase()) && named !== 'scratch') images.push(named);
      stages.add(String(stageCount));
      if (as.toUpperCase() === 'AS') stages.add(stage.toLowerCase());
      stageCount += 1;
    } else if (word === 'COPY' || word === 'ADD') {
      const from = /(?:^|\s)--from=(\S+)/.exec(rest)?.[1];
      if (from === undefined) copies.push(...sources(rest).map((source) => ({ line, source })));
      else if (!stages.has(from.toLowerCase())) images.push(filled(from, globals));
    }
  }
  return { images: [...new Set(images)].filter((image) => image !== '' && !image.includes('$')), copies };
}

function* instructions(text: string): Generator<Instruction> {
  const escape = /^#\s*escape\s*=\s*`\s*$/im.test(text.slice(0, 500)) ? '`' : '\\';
  const lines = text.split(/\r?\n/);
  for (let index = 0; index < lines.length; index += 1) {
    const first = index;
    let whole = '';
    for (; index < lines.length; index += 1) {
      const line = lines[index] ?? '';
      // Comments and empty lines may stand inside a continued instruction.
      if (/^\s*(#|$)/.test(line)) {
        if (whole === '') break;
        continue;
      }
      const continued = line.trimEnd().endsWith(escape);
      whole += continued ? `${line.trimEnd().slice(0, -1)} ` : line;
      if (!continued) break;
    }
    const [, word = '', rest = ''] = /^\s*([A-Za-z]+)\s+(.*)$/s.exec(whole) ?? [];
    if (word === '') continue;
    const delimiters = ['RUN', 'COPY', 'ADD'].includes(word.toUpperCase())
      ? [...rest.matchAll(/<<-?["']?(\w+)["']?/g)]
      : [];
    for (const [, delimiter] of delimiters) {
      const end = lines.findIndex((line, at) => at > index && line.trim() === delimiter);
      if (end > 0) index = end;
    }
    yield { line: first + 1, word: word.toUpperCase(), rest: rest.trim() };
  }
}

/** The sources of a COPY or ADD: all words but flags and the last; addresses, here-documents and variables left out. */
function sources(rest: string): string[] {
  const plain = rest.replace(/^(--\S+\s+)+/, '');
  let words = plain.split(/\s+/).filter(Boolean);
  if (plain.startsWith('[')) {
    try {
      const list: unknown = JSON.parse(plain);
      words = Array.isArray(list) ? list.filter((word) => typeof word === 'string') : [];
    } catch {
      words = [];
    }
  }
  return words.slice(0, -1).filter((word) => !/^(https?:|git@|git:|<<)|\$/.test(word));
}

/** `$X`, `${X}` and `${X:-default}` filled in; what is unknown stays. */
function filled(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(
    /\$(?:(\w+)|\{(\w+)(?::-([^}]*))?\})/g,
    (whole, plain?: string, braced?: string, fallback?: string) => {
      const value = values[plain ?? braced ?? ''];
      return value === undefined || value === '' ? (fallback ?? whole) : value;
    },
  );
}
