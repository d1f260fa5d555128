import { execFile } from 'node:child_process';

export interface Ran {
  code: number;
  stdout: string;
  /** Standard output, then standard error. */
  output: string;
}

/** Milliseconds after which a program has hung. */
const LIMIT = 60_000;

/** Runs a program to its end, whatever its exit code; without a terminal or input. */
export function run(
  program: string,
  args: readonly string[],
  options: { cwd?: string; env?: Record<string, string> } = {},
): Promise<Ran> {
  return new Promise((done) => {
    const child = execFile(
      program,
      args,
      {
        ...options,
        env: { ...process.env, NO_COLOR: '1', ...options.env },
        timeout: LIMIT,
        maxBuffer: 64 * 1024 * 1024,
      },
      (error, stdout, stderr) => {
        const code = error ? (typeof error.code === 'number' ? error.code : 1) : 0;
        done({ code, stdout, output: stdout + stderr });
      },
    );
    child.stdin?.end();
  });
}

const bins = new Map<string, Promise<string>>();

/**
 * The path of a program of an npm package, fetched once through npx into npm's own cache. Not a dependency: hundreds of
 * packages that nothing else needs.
 *
 * @throws Error with npm's own words when it cannot be had.
 */
export function packageBin(name: string, version: string, bin: string): Promise<string> {
  const spec = `${name}@${version}`;
  const found = bins.get(spec) ?? locate(spec, bin);
  bins.set(spec, found);
  return found;
}

async function locate(spec: string, bin: string): Promise<string> {
  const { code, stdout, output } = await run('npx', ['-y', `--package=${spec}`, '-c', `command -v ${bin}`]);
  const path = stdout.trim().split('\n').at(-1) ?? '';
  if (code !== 0 || path === '') throw new Error(`${spec} could not be had from npm:\n${output.slice(-2000)}`);
  return path;
}
