import type { ContainerStats } from 'dockerode';

import { sizeText } from './table.ts';
import type { Table } from './table.ts';

/** What the readers take of the Engine's statistics; on Windows and for a stopped container parts are missing. */
type Cpu = {
  cpu_usage?: { total_usage?: number; percpu_usage?: number[] };
  system_cpu_usage?: number;
  online_cpus?: number;
};

/** In percent of one processor: two busy ones are 200, as `docker stats` has it. */
function cpuPercent(now: Cpu, before: Cpu): number {
  const used = (now.cpu_usage?.total_usage ?? 0) - (before.cpu_usage?.total_usage ?? 0);
  const passed = (now.system_cpu_usage ?? 0) - (before.system_cpu_usage ?? 0);
  const processors = now.online_cpus ?? now.cpu_usage?.percpu_usage?.length ?? 1;
  return used > 0 && passed > 0 ? (used / passed) * processors * 100 : 0;
}

/** Without the page cache that can be dropped, as `docker stats` has it; its name depends on the cgroup version. */
function memoryUsed(memory: ContainerStats['memory_stats']): number {
  const usage = memory.usage ?? 0;
  const details = memory.stats as Record<string, number> | undefined;
  const cache = details?.['total_inactive_file'] ?? details?.['inactive_file'] ?? 0;
  return cache < usage ? usage - cache : usage;
}

/** Since the container started; empty where it shares another network. */
function networkText({ networks }: ContainerStats): string {
  const all = Object.values((networks as typeof networks | undefined) ?? {});
  if (all.length === 0) return '';
  const sum = (side: 'rx_bytes' | 'tx_bytes') => all.reduce((total, network) => total + network[side], 0);
  return `${sizeText(sum('rx_bytes'))}/${sizeText(sum('tx_bytes'))}`;
}

/** The operations' names have capital letters where cgroups are of the first version. */
function blockText({ blkio_stats }: ContainerStats): string {
  const all = (blkio_stats as Partial<NonNullable<typeof blkio_stats>> | undefined)?.io_service_bytes_recursive ?? [];
  if (all.length === 0) return '';
  const sum = (side: string) =>
    all.reduce((total, { op, value }) => (op.toLowerCase() === side ? total + value : total), 0);
  return `${sizeText(sum('read'))}/${sizeText(sum('write'))}`;
}

/** `stats` in the order of `containers`; undefined for one that went away in between. */
export function statsTable(
  containers: readonly { name: string }[],
  stats: readonly (ContainerStats | undefined)[],
): Table {
  return {
    columns: ['name', 'cpu', 'memory', 'limit', 'pids', 'net in/out', 'block read/write'],
    rows: containers.map(({ name }, index) => {
      const measured = stats[index];
      if (!measured) return [name, 'gone', '', '', '', '', ''];
      return [
        name,
        `${cpuPercent(measured.cpu_stats, measured.precpu_stats).toFixed(1)}%`,
        sizeText(memoryUsed(measured.memory_stats)),
        sizeText(measured.memory_stats.limit ?? 0),
        String(measured.pids_stats?.current ?? ''),
        networkText(measured),
        blockText(measured),
      ];
    }),
  };
}
