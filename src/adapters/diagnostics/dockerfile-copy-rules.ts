import { assignments, copied, lineOf, runCommands } from './dockerfile-source.ts';
import type { Dockerfile, Instruction, Stage } from './dockerfile-source.ts';
import type { Found, Rule } from './finding.ts';
import { holdsSecret, isInlineSecret, isLiteral, isSecretFile, isSecretName } from './secrets.ts';
import type { Command } from './shell.ts';

/** A Dockerfile with what lies around it. */
export interface PlacedDockerfile extends Dockerfile {
  /** Whether a .dockerignore applies; true where that may not be known. */
  ignores: boolean;
}

const ARCHIVE = /\.(?:tar|tgz|tbz2?|txz|tar\.(?:gz|bz2|xz|zst))$/i;

/** Commands that install what a manifest lists, with the manifest's usual name. */
const INSTALLERS: readonly { installs: (command: Command) => boolean; manifest: string; command: string }[] = [
  {
    installs: ({ program, args }) =>
      (/^pip[\d.]*$/.test(program) || (args[0] === '-m' && args[1] === 'pip')) &&
      args.some((arg) => /^(?:-r|--requirement)/.test(arg)),
    manifest: 'requirements.txt',
    command: 'pip install --no-cache-dir -r requirements.txt',
  },
  {
    installs: ({ program, args }) => program === 'uv' && args[0] === 'sync',
    manifest: 'pyproject.toml uv.lock',
    command: 'uv sync --frozen --no-dev --no-install-project',
  },
  {
    installs: ({ program, args }) => program === 'poetry' && args[0] === 'install',
    manifest: 'pyproject.toml poetry.lock',
    command: 'poetry install --no-root --only main',
  },
  {
    installs: ({ program, args }) =>
      program === 'npm' &&
      /^(?:ci|install|i)$/.test(args[0] ?? '') &&
      !args.some((arg) => /^(?:-g|--global)$/.test(arg)),
    manifest: 'package.json package-lock.json',
    command: 'npm ci --omit=dev',
  },
  {
    installs: ({ program, args }) => program === 'yarn' && (args[0] === 'install' || args.length === 0),
    manifest: 'package.json yarn.lock',
    command: 'yarn install --frozen-lockfile',
  },
  {
    installs: ({ program, args }) => program === 'pnpm' && (args[0] === 'install' || args[0] === 'i'),
    manifest: 'package.json pnpm-lock.yaml',
    command: 'pnpm install --frozen-lockfile --prod',
  },
  {
    installs: ({ program, args }) => program === 'go' && args[0] === 'mod',
    manifest: 'go.mod go.sum',
    command: 'go mod download',
  },
  {
    installs: ({ program, args }) => program === 'bundle' && args[0] === 'install',
    manifest: 'Gemfile Gemfile.lock',
    command: 'bundle install',
  },
  {
    installs: ({ program, args }) => program === 'composer' && args[0] === 'install',
    manifest: 'composer.json composer.lock',
    command: 'composer install --no-dev',
  },
];

/** COPY and ADD from the build context, with what they take. */
function fromContext({ instructions }: Pick<Stage, 'instructions'>): { instruction: Instruction; sources: string[] }[] {
  return instructions
    .filter(({ word, flags }) => (word === 'COPY' || word === 'ADD') && !flags.has('from'))
    .map((instruction) => ({ instruction, sources: copied(instruction).filter((source) => !isRemote(source)) }));
}

function isRemote(source: string): boolean {
  return /^(?:https?:\/\/|git@|git:\/\/|ssh:\/\/)/i.test(source);
}

function isWhole(source: string): boolean {
  return /^(?:\.|\.\/|\/|\*|\.\/\*)$/.test(source);
}

function* secretAssignments(instruction: Instruction): Generator<Found> {
  const { word } = instruction;
  for (const [name, value] of assignments(instruction)) {
    // An ENV of an ARG keeps the argument's value in the image.
    const passedOn = word === 'ENV' && isSecretName(name) && /^\$\{?\w+\}?$/.test(value ?? '');
    if (value !== undefined && (isInlineSecret(name, value) || passedOn))
      yield { line: lineOf(instruction, name), what: `${word} ${name} holds a secret` };
  }
}

export const DOCKERFILE_COPY_RULES: readonly Rule<PlacedDockerfile>[] = [
  {
    id: 'secret-in-image',
    severity: 'error',
    why: 'Everybody who can pull the image can read it, in its history as well.',
    fix: 'RUN --mount=type=secret,id=token TOKEN="$(cat /run/secrets/token)" <command>   # or give it when the container starts; change the secret',
    *check({ instructions }) {
      for (const instruction of instructions) {
        if (instruction.word === 'ENV' || instruction.word === 'ARG') yield* secretAssignments(instruction);
        else
          for (const { line, text } of [...instruction.parts, ...instruction.heredocs.flat()])
            if (holdsSecret(text))
              yield { line, what: `${instruction.word} holds what looks like a token, key or password` };
      }
    },
  },
  {
    id: 'secret-build-arg',
    severity: 'warning',
    why: 'Build arguments stay in the image’s history.',
    fix: 'RUN --mount=type=secret,id=token …   # docker build --secret id=token,env=TOKEN',
    *check({ instructions }) {
      for (const instruction of instructions.filter(({ word }) => word === 'ARG'))
        for (const [name, value] of assignments(instruction))
          if (isSecretName(name) && (value === undefined || !isLiteral(value)))
            yield { line: lineOf(instruction, name), what: `ARG ${name} is for a secret` };
    },
  },
  {
    id: 'secret-file-copied',
    severity: 'error',
    why: 'The file stays in a layer, even when a later one removes it.',
    fix: 'Remove the COPY, name the file in .dockerignore, and give it when the container starts.',
    *check(file) {
      for (const { instruction, sources } of fromContext(file))
        for (const source of sources)
          if (isSecretFile(source))
            yield { line: instruction.line, what: `${instruction.word} takes ${source} into the image` };
    },
  },
  {
    id: 'add-remote',
    severity: 'warning',
    why: 'What comes is not checked, and the cache does not notice when it changes.',
    fix: 'ADD --checksum=sha256:<digest> <url> <path>',
    *check({ instructions }) {
      for (const instruction of instructions)
        if (instruction.word === 'ADD' && !instruction.flags.has('checksum') && copied(instruction).some(isRemote))
          yield { line: instruction.line, what: 'ADD fetches from the network without a checksum' };
    },
  },
  {
    id: 'add-instead-of-copy',
    severity: 'warning',
    why: 'ADD also unpacks and fetches; COPY does only what it says.',
    fix: 'COPY <source> <path>',
    *check(file) {
      for (const { instruction, sources } of fromContext(file))
        if (instruction.word === 'ADD' && sources.length > 0 && !sources.some((source) => ARCHIVE.test(source)))
          yield { line: instruction.line, what: 'ADD of local files' };
    },
  },
  {
    id: 'copy-before-install',
    severity: 'warning',
    why: 'Every change of any file installs all dependencies again, and builds should take less than five minutes.',
    fix: 'Copy the manifest and lock file first, install, then COPY . .',
    *check({ stages }) {
      for (const { instructions } of stages) {
        const first = fromContext({ instructions }).find(({ sources }) => sources.some(isWhole))?.instruction;
        if (!first) continue;
        const after = instructions.slice(instructions.indexOf(first)).flatMap(runCommands);
        const installer = INSTALLERS.find(({ installs }) => after.some(installs));
        if (installer)
          yield {
            line: first.line,
            what: 'copies everything before the dependencies are installed',
            fix: `COPY ${installer.manifest} ./\nRUN ${installer.command}\nCOPY . .`,
          };
      }
    },
  },
  {
    id: 'no-dockerignore',
    severity: 'warning',
    why: '.git, .env and local builds go into the build context, and into the image with COPY of a folder.',
    fix: 'printf ".git\\n.env*\\nnode_modules\\n.venv\\n" > .dockerignore',
    *check(file) {
      if (file.ignores) return;
      const whole = fromContext(file).find(({ sources }) => sources.some(isWhole));
      const any = whole ?? fromContext(file).find(({ sources }) => sources.length > 0);
      if (any)
        yield {
          line: any.instruction.line,
          what: `${whole ? 'copies the whole context' : 'copies from the context'} and there is no .dockerignore`,
          severity: whole ? 'warning' : 'info',
        };
    },
  },
];
