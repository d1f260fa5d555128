import { effective, runCommands } from './dockerfile-source.ts';
import type { Dockerfile, Instruction } from './dockerfile-source.ts';
import type { Rule } from './finding.ts';
import { fetchedAndRun } from './shell.ts';
import type { Command } from './shell.ts';

const BUILD_TOOLS = new Set('gcc g++ cc clang make cmake mvn mvnw gradle gradlew tsc webpack vite'.split(' '));
const BUILD_PACKAGES = /^(?:build-essential|build-base|gcc|g\+\+|make|cmake|[a-z0-9.-]+-dev)$/;

interface Run {
  instruction: Instruction;
  commands: Command[];
}

function runs({ instructions }: Dockerfile): Run[] {
  return instructions
    .filter(({ word }) => word === 'RUN')
    .map((instruction) => ({ instruction, commands: runCommands(instruction) }));
}

function isApt({ program, args }: Pick<Command, 'program' | 'args'>, verb: string): boolean {
  return (program === 'apt-get' || program === 'apt') && args.includes(verb);
}

function mounts({ flags }: Instruction, folder: RegExp): boolean {
  return (flags.get('mount') ?? []).some((mount) => /\btype=cache\b/.test(mount) && folder.test(mount));
}

function isPipInstall({ program, args }: Command): boolean {
  if (/^pip[\d.]*$/.test(program)) return args[0] === 'install';
  return /^python[\d.]*$/.test(program) && args[0] === '-m' && args[1] === 'pip' && args[2] === 'install';
}

function builds({ program, args }: Command): boolean {
  if (BUILD_TOOLS.has(program)) return true;
  if (program === 'go' || program === 'cargo') return args[0] === 'build' || args[0] === 'install';
  if (program === 'dotnet') return args[0] === 'publish' || args[0] === 'build';
  if (/^(?:npm|pnpm|yarn|bun)$/.test(program)) return args.find((arg) => arg !== 'run')?.startsWith('build') ?? false;
  const installs = program === 'apk' ? args.includes('add') : isApt({ program, args }, 'install');
  return installs && args.some((arg) => BUILD_PACKAGES.test(arg));
}

export const DOCKERFILE_RUN_RULES: readonly Rule<Dockerfile>[] = [
  {
    id: 'single-stage',
    severity: 'warning',
    why: 'Compilers and build caches stay in the image that runs: larger, and more to break into.',
    fix: 'FROM base AS builder\nRUN <build>\nFROM base\nCOPY --from=builder /app /app',
    *check(file) {
      if (file.stages.length !== 1) return;
      const found = runs(file)
        .flatMap(({ commands }) => commands)
        .find(builds);
      if (found) yield { line: found.line, what: `builds with ${found.program} in the only stage` };
    },
  },
  {
    id: 'apt-recommends',
    severity: 'warning',
    why: 'Recommended packages make the image larger and are not needed.',
    fix: 'apt-get install -y --no-install-recommends <packages>',
    *check(file) {
      for (const { line, program, args } of runs(file).flatMap(({ commands }) => commands)) {
        const without = args.some((arg) => /^--no-install-recommends$|Install-Recommends=(?:0|false|no)$/.test(arg));
        if (isApt({ program, args }, 'install') && !without)
          yield { line, what: `${program} install without --no-install-recommends` };
      }
    },
  },
  {
    id: 'apt-lists',
    severity: 'warning',
    why: 'Package lists of some 20 MB stay in the layer.',
    fix: '&& rm -rf /var/lib/apt/lists/*   # in the same RUN',
    *check(file) {
      for (const { instruction, commands } of runs(file)) {
        const install = commands.find((command) => isApt(command, 'install'));
        const removes = commands.some(
          ({ program, args }) => program === 'rm' && args.some((arg) => arg.startsWith('/var/lib/apt')),
        );
        if (install && !removes && !mounts(instruction, /\/var\/lib\/apt/))
          yield { line: install.line, what: 'leaves the package lists in the image' };
      }
    },
  },
  {
    id: 'apt-update-alone',
    severity: 'warning',
    why: 'The layer is cached, so that later installs use lists that are weeks old and fail.',
    fix: 'RUN apt-get update && apt-get install -y --no-install-recommends <packages> && rm -rf /var/lib/apt/lists/*',
    *check(file) {
      for (const { commands } of runs(file)) {
        const update = commands.find((command) => isApt(command, 'update'));
        const used = commands.some(
          ({ program, args }) =>
            /^(?:apt|apt-get|aptitude)$/.test(program) &&
            args.some((arg) => /^(?:install|.*upgrade|build-dep)$/.test(arg)),
        );
        if (update && !used) yield { line: update.line, what: `${update.program} update in a RUN of its own` };
      }
    },
  },
  {
    id: 'pip-cache',
    severity: 'warning',
    why: 'Downloaded packages stay in the layer a second time.',
    fix: 'RUN pip install --no-cache-dir -r requirements.txt',
    *check(file) {
      const off = effective(file.stages.at(-1), 'ENV')
        .concat(file.instructions)
        .some(({ word, rest }) => word === 'ENV' && /\bPIP_NO_CACHE_DIR\b/.test(rest));
      if (off) return;
      for (const { instruction, commands } of runs(file)) {
        if (mounts(instruction, /pip/)) continue;
        for (const command of commands)
          if (isPipInstall(command) && !command.args.includes('--no-cache-dir'))
            yield { line: command.line, what: 'pip install without --no-cache-dir' };
      }
    },
  },
  {
    id: 'npm-install',
    severity: 'warning',
    why: 'It may install other versions than the lock file has, and write the lock file anew.',
    fix: 'COPY package.json package-lock.json ./\nRUN npm ci --omit=dev',
    *check(file) {
      for (const { line, program, args } of runs(file).flatMap(({ commands }) => commands)) {
        const names = args.slice(1).filter((arg) => !arg.startsWith('-'));
        const whole = program === 'npm' && /^(?:install|i)$/.test(args[0] ?? '') && names.length === 0;
        if (whole && !args.some((arg) => arg === '-g' || arg === '--global'))
          yield { line, what: 'npm install instead of npm ci' };
      }
    },
  },
  {
    id: 'sudo',
    severity: 'warning',
    why: 'A build is root already; sudo in an image is a way back to root.',
    fix: 'Run it without sudo, before the USER instruction.',
    *check(file) {
      for (const { line, sudo } of runs(file).flatMap(({ commands }) => commands))
        if (sudo) yield { line, what: 'runs sudo' };
    },
  },
  {
    id: 'curl-pipe-shell',
    severity: 'warning',
    why: 'Whoever controls that address, or the way to it, runs code in the build.',
    fix: 'curl -fsSLo /tmp/install.sh <url> && echo "<sha256>  /tmp/install.sh" | sha256sum -c && sh /tmp/install.sh',
    *check(file) {
      for (const { commands } of runs(file))
        for (const line of fetchedAndRun(commands)) yield { line, what: 'runs a script straight from the network' };
    },
  },
];
