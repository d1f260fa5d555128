import type { ContainerInspectInfo } from 'dockerode';

import { hintsAtSecret } from '../../core/secret-names.ts';
import { maskedLine } from './output.ts';
import { sizeText } from './table.ts';

type Details = Record<string, string | number | boolean | string[]>;

const MASK = '[redacted]';
/** Of each list. */
const MOST = 30;
const MAX_TEXT = 300;
const PROBES = 3;
/** Shorter values stand everywhere in ordinary text. */
const LEAST_SECRET = 4;
const URL_PASSWORD = /:\/\/[^\s/:@]*:([^\s/@]+)@/;
const NEVER = '0001-01-01T00:00:00Z';

/**
 * The given mask, and one for the values of the container's own environment variables whose names say that they are
 * secret, and for the passwords in those that are addresses: its log and its command may have them.
 */
export function maskOf(container: ContainerInspectInfo, redact: (text: string) => string): (text: string) => string {
  const values = (container.Config.Env ?? [])
    .map((line) => line.split(/=(.*)/s))
    .flatMap(([name = '', value = '']) => [hintsAtSecret(name) ? value : '', URL_PASSWORD.exec(value)?.[1] ?? ''])
    .filter((value) => value.length >= LEAST_SECRET)
    .toSorted((a, b) => b.length - a.length);
  return (text) => redact(values.reduce((masked, value) => masked.replaceAll(value, MASK), text));
}

/** Chosen fields of a container; of labels and of the environment only the names. Empty fields are left out. */
export function containerDetails(container: ContainerInspectInfo, redact: (text: string) => string): Details {
  const mask = maskOf(container, redact);
  const text = (value: string) => maskedLine(value, mask, MAX_TEXT);
  const { State, Config, HostConfig, Mounts, NetworkSettings } = container;
  const { Health } = State;
  const some = (list: readonly string[]) => {
    const texts = list.slice(0, MOST).map(text);
    return list.length > MOST ? [...texts, `… and ${list.length - MOST} more`] : texts;
  };
  const names = (lines: readonly string[]) => some(lines.map((line) => line.split('=')[0] ?? '').toSorted());
  const all: Details = {
    id: container.Id.slice(0, 12),
    image: text(Config.Image),
    imageId: container.Image,
    command: some(maskedWords([container.Path, ...container.Args])).join(' '),
    user: text(Config.User),
    state: State.Status,
    ...(State.Running ? {} : { exitCode: State.ExitCode }),
    oomKilled: State.OOMKilled,
    error: text(State.Error),
    startedAt: moment(State.StartedAt),
    finishedAt: State.Running ? '' : moment(State.FinishedAt),
    restarts: container.RestartCount,
    restartPolicy: restartText(HostConfig.RestartPolicy),
    health: Health && Health.Status !== 'none' ? text(Health.Status) : '',
    probes: some(
      (Health?.Log ?? []).slice(-PROBES).map(({ ExitCode, Output }) => `exit ${ExitCode}: ${Output.trim()}`),
    ),
    limits: limitsText(HostConfig),
    privileged: HostConfig.Privileged === true,
    mounts: some(
      Mounts.map(
        ({ Type, Name, Source, Destination, RW }) =>
          `${Type} ${Name ?? Source} -> ${Destination}${RW ? '' : ' (read-only)'}`,
      ),
    ),
    networks: some(
      Object.entries(NetworkSettings.Networks ?? {}).map(([name, { IPAddress }]) => `${name} ${IPAddress}`.trim()),
    ),
    labels: names(Object.keys(Config.Labels ?? {})),
    environment: names(Config.Env ?? []),
  };
  return Object.fromEntries(
    Object.entries(all).filter(
      ([, value]) => value !== '' && value !== false && !(Array.isArray(value) && value.length === 0),
    ),
  );
}

/** `--password x` as `--password [redacted]`; what is one word (`--password=x`) the redactor knows. */
function maskedWords(words: readonly string[]): string[] {
  return words.map((word, index) => {
    const before = words[index - 1] ?? '';
    return /^--?[\w-]+$/.test(before) && hintsAtSecret(before.replace(/^-+/, '')) ? MASK : word;
  });
}

function moment(time: string): string {
  return time === NEVER ? '' : time.replace(/\.\d+/, '');
}

function restartText(policy: ContainerInspectInfo['HostConfig']['RestartPolicy']): string {
  if (!policy?.Name || policy.Name === 'no') return '';
  return policy.MaximumRetryCount ? `${policy.Name}:${policy.MaximumRetryCount}` : policy.Name;
}

function limitsText({ Memory, NanoCpus, CpuQuota, CpuPeriod, PidsLimit }: ContainerInspectInfo['HostConfig']): string {
  const processors = NanoCpus ? NanoCpus / 1e9 : CpuQuota && CpuQuota > 0 ? CpuQuota / (CpuPeriod || 100_000) : 0;
  return [
    Memory ? `memory ${sizeText(Memory)}` : '',
    processors > 0 ? `cpus ${processors}` : '',
    PidsLimit && PidsLimit > 0 ? `pids ${PidsLimit}` : '',
  ]
    .filter(Boolean)
    .join(', ');
}
