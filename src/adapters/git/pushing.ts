import { HoldpointError } from '../../core/errors.ts';
import type { GitSettings } from './client.ts';
import type { Call, GitPort, PushPlan, RefUpdate, Remote } from './port.ts';
import { checkedAddress, refuseSteering } from './remote.ts';
import type { Repository, Within } from './repository.ts';
import { plainLine } from './text.ts';
import { workflowsAt } from './workflows.ts';

/** Milliseconds for asking a remote, and for sending to it. */
const ASK_LIMIT = 30_000;
const PUSH_LIMIT = 300_000;
const SUBJECTS = 20;
/** The operator's variables for https: its way out, and whom it trusts. */
const WAY_OUT = ['HTTPS_PROXY', 'ALL_PROXY', 'NO_PROXY'].flatMap((name) => [name, name.toLowerCase()]);
const TRUST = ['GIT_SSL_CAINFO', 'GIT_SSL_CAPATH', 'SSL_CERT_FILE', 'SSL_CERT_DIR'];

type Settings = Pick<GitSettings, 'workspace' | 'environment' | 'credentials'>;

/** What talks to remotes. */
export function createPushing(within: Within, settings: Settings): Pick<GitPort, 'remote' | 'planPush' | 'push'> {
  return {
    remote: (name, call) =>
      within(call, async (repository) => {
        await checkSteering(repository);
        const { stdout } = await repository.run({ args: ['config', '--get-all', '-z', `remote.${name}.url`] });
        const [written, ...more] = stdout.split('\0').filter(Boolean);
        if (written === undefined)
          throw new HoldpointError('not_found', `The repository has no remote ${JSON.stringify(name)}.`, {
            hint: 'A person adds it with git remote add.',
          });
        if (more.length > 0)
          throw new HoldpointError('denied', `The remote ${name} has ${more.length + 1} addresses.`, {
            rule: 'programs',
            hint: 'A person leaves one.',
          });
        const { url, host } = await checkedAddress(written, settings.workspace);
        return { name, url, host };
      }),

    planPush: (remote, ref, call) =>
      within(call, async (repository) => {
        const { output, resolve } = repository;
        const commit = await resolve(ref);
        if (commit === null)
          throw new HoldpointError('not_found', `There is no ${shortened(ref)} here.`, {
            hint: 'Make it, and commit on it, first.',
          });
        const was = await onRemote(repository, { remote, ref }, settings, call);
        const keeps = await keepsWhatIs(repository, { ref, commit, was });
        const range =
          keeps === 'yes' && was !== null ? [`${was}..${commit}`] : [commit, '--not', `--remotes=${remote.name}`];
        const log = ['log', `--max-count=${SUBJECTS}`, '--no-show-signature', '--format=%h %s', ...range, '--'];
        const subjects = await output({ args: log }, 'to list what is pushed');
        const count = await output({ args: ['rev-list', '--count', ...range, '--'] }, 'to count what is pushed');
        const plan: PushPlan = {
          update: { remote, ref, commit, was },
          keeps,
          subjects: call
            .redact(subjects)
            .split('\n')
            .filter(Boolean)
            .map((line) => plainLine(line, 120)),
          count: Number(count),
          workflows: await workflowsAt(repository, commit),
        };
        if (was === null || keeps !== 'yes') return plan;
        const compare = ['diff', '--name-only', '-z', '--no-renames', '--no-ext-diff', was, commit, '--'];
        return { ...plan, paths: (await output({ args: compare }, 'to compare')).split('\0').filter(Boolean) };
      }),

    push: (update, call) =>
      within(call, async (repository) => {
        const { remote, ref, commit, was } = update;
        await checkSteering(repository);
        // The lease alone would allow what loses commits.
        if ((await keepsWhatIs(repository, update)) !== 'yes')
          throw new HoldpointError(
            'denied',
            `${remote.name} has commits of ${shortened(ref)} that this push would lose.`,
            { rule: 'force-push' },
          );
        const flags = ['--porcelain', '--no-verify', '--no-follow-tags', '--no-recurse-submodules', '--no-signed'];
        const lease = `--force-with-lease=${ref}:${was ?? ''}`;
        const { code, stdout, stderr } = await repository.run({
          args: ['push', ...flags, lease, '--', remote.url, `${commit}:${ref}`],
          env: await connection(repository, remote, settings),
          limit: PUSH_LIMIT,
          reachesOut: true,
        });
        const done = stdout.split('\n').some((line) => /^[ *=]\t/.test(line) && line.includes(`:${ref}\t`));
        if (code !== 0 || !done) throw pushError(call.redact(`${stdout}\n${stderr}`), update);
        if (!ref.startsWith('refs/heads/')) return;
        // What this repository knows of the remote; that it cannot be written down changes nothing of the push.
        await repository.run({ args: ['update-ref', `refs/remotes/${remote.name}/${shortened(ref)}`, commit] });
      }),
  };
}

async function checkSteering({ output }: Repository): Promise<void> {
  const args = ['config', '--list', '--show-scope', '--name-only', '-z'];
  const parts = (await output({ args }, 'to read the configuration')).split('\0');
  // Scope and key in turn; the scope `command` is what Holdpoint itself sets.
  refuseSteering(parts.filter((_, index) => index % 2 === 1 && parts[index - 1] !== 'command'));
}

async function keepsWhatIs(
  { run, resolve }: Repository,
  { ref, commit, was }: Pick<RefUpdate, 'ref' | 'commit' | 'was'>,
): Promise<PushPlan['keeps']> {
  if (was === null) return 'yes';
  // A tag is not moved, wherever to.
  if (ref.startsWith('refs/tags/')) return 'no';
  if ((await resolve(`${was}^{commit}`)) === null) return 'unknown';
  return (await run({ args: ['merge-base', '--is-ancestor', was, commit] })).code === 0 ? 'yes' : 'no';
}

async function onRemote(
  repository: Repository,
  { remote, ref }: Pick<RefUpdate, 'remote' | 'ref'>,
  settings: Settings,
  { redact }: Call,
): Promise<string | null> {
  const { code, stdout, stderr } = await repository.run({
    args: ['ls-remote', '--quiet', '--', remote.url, ref],
    env: await connection(repository, remote, settings),
    limit: ASK_LIMIT,
    maxBytes: 65_536,
    reachesOut: true,
  });
  if (code === 0) {
    const line = stdout.split('\n').find((each) => each.endsWith(`\t${ref}`));
    return /^[0-9a-f]{40,64}/.exec(line ?? '')?.[0] ?? null;
  }
  throw new HoldpointError(
    'unavailable',
    `${remote.name} (${remote.url}) does not answer: ${lastLine(redact(stderr))}`,
    {
      hint: 'A person checks the address and the access: for https to GitHub GH_TOKEN where Holdpoint runs, for ssh a key that needs no question.',
    },
  );
}

/** What a connection needs beyond what every command has: its one protocol, and who one is. */
async function connection(
  { env }: Repository,
  { url }: Remote,
  { workspace, environment, credentials }: Settings,
): Promise<Record<string, string>> {
  const { protocol, host } = await checkedAddress(url, workspace);
  const given = (names: readonly string[]) =>
    Object.fromEntries(names.flatMap((name) => (environment[name] ? [[name, environment[name]]] : [])));
  const variables: Record<string, string> = { GIT_ALLOW_PROTOCOL: protocol };
  if (protocol === 'ssh')
    // No master that would stay behind, no question that nobody answers; the rest is the operator's own ~/.ssh.
    Object.assign(variables, given(['SSH_AUTH_SOCK']), {
      GIT_SSH_COMMAND: 'ssh -oBatchMode=yes -oControlMaster=no',
    });
  if (protocol === 'https') Object.assign(variables, given([...WAY_OUT, ...TRUST]));
  if (protocol !== 'https' || credentials?.host !== host) return variables;
  // In the environment, where no process list shows it, and for this host alone.
  const at = Number(env['GIT_CONFIG_COUNT'] ?? 0);
  const basic = Buffer.from(`x-access-token:${credentials.token}`).toString('base64');
  return {
    ...variables,
    GIT_CONFIG_COUNT: String(at + 1),
    [`GIT_CONFIG_KEY_${at}`]: `http.https://${host}/.extraHeader`,
    [`GIT_CONFIG_VALUE_${at}`]: `Authorization: Basic ${basic}`,
  };
}

function pushError(said: string, { remote, ref }: RefUpdate): HoldpointError {
  const name = shortened(ref);
  const [, reason] = /^!\t[^\t]*\t(.*)$/m.exec(said) ?? [];
  if (/stale info|fetch first|non-fast-forward|already exists|cannot lock ref/.test(reason ?? ''))
    return new HoldpointError('stale', `${name} on ${remote.name} moved meanwhile; nothing was pushed.`, {
      hint: 'Push anew: it is planned with what the remote has now.',
    });
  const why = reason === undefined ? lastLine(said) : plainLine(reason, 300);
  return new HoldpointError('upstream', `${remote.name} did not take the push of ${name}: ${why}`, {
    hint: 'Its own rules or hooks may refuse it; a protected branch takes a pull request.',
  });
}

function lastLine(text: string): string {
  return plainLine(text.trim().split('\n').at(-1) ?? '', 300) || 'it said nothing';
}

function shortened(ref: string): string {
  return ref.replace(/^refs\/(?:heads|tags)\//, '');
}
