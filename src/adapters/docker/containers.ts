import type { ContainerInfo, ContainerInspectInfo } from 'dockerode';

import type { Table } from './table.ts';

export interface Container {
  id: string;
  name: string;
  image: string;
  /** `sha256:…` */
  imageId: string;
  /** `created`, `running`, `paused`, `restarting`, `removing`, `exited` or `dead`. */
  state: string;
  /** As the Engine puts it, with health or exit code and since when: `Up 2 hours (healthy)`, `Exited (3) 5 minutes ago`. */
  status: string;
  ports: string;
}

const MOST_PORTS = 4;

export function readContainer(raw: ContainerInfo): Container {
  // Names with a second slash are aliases that links made.
  const names = raw.Names.map((name) => name.replace(/^\//, ''));
  return {
    id: raw.Id,
    name: names.find((name) => !name.includes('/')) ?? raw.Id.slice(0, 12),
    image: raw.Image.replace(/^sha256:(.{12}).*$/, '$1'),
    imageId: raw.ImageID,
    state: raw.State,
    status: raw.Status,
    ports: portsText(raw.Ports),
  };
}

function portsText(ports: ContainerInfo['Ports']): string {
  const texts = ports.map(({ IP, PublicPort, PrivatePort, Type }) => {
    const inside = `${PrivatePort}${Type === 'tcp' ? '' : `/${Type}`}`;
    if (!PublicPort) return inside;
    const address = !IP || IP === '0.0.0.0' || IP === '::' ? '' : IP.includes(':') ? `[${IP}]:` : `${IP}:`;
    return `${address}${PublicPort}->${inside}`;
  });
  // One port is listed for IPv4 and for IPv6.
  const all = [...new Set(texts)].toSorted();
  return all.length <= MOST_PORTS ? all.join(',') : `${all.slice(0, MOST_PORTS).join(',')} +${all.length - MOST_PORTS}`;
}

/** Whether something is wrong with it: ended with an error, restarting, dead or unhealthy. */
function hasFailed({ state, status }: Container): boolean {
  if (state === 'restarting' || state === 'dead') return true;
  if (state === 'exited') return !status.startsWith('Exited (0)');
  return status.includes('(unhealthy)');
}

/** Without `all` those that neither run nor failed are left out. What failed comes first, then what runs. */
export function inOrder(containers: readonly Container[], all: boolean): Container[] {
  const rank = (container: Container) => (hasFailed(container) ? 0 : container.state === 'running' ? 1 : 2);
  return containers
    .filter((container) => all || hasFailed(container) || !['exited', 'created'].includes(container.state))
    .toSorted((a, b) => rank(a) - rank(b));
}

/** `inspected` in the order of `containers`; undefined for one that went away in between. */
export function containerTable(
  containers: readonly Container[],
  inspected: readonly (ContainerInspectInfo | undefined)[],
): Table {
  return {
    columns: ['name', 'image', 'status', 'problems', 'ports'],
    rows: containers.map(({ name, image, status, ports }, index) => {
      const details = inspected[index];
      const restarts = details?.RestartCount ?? 0;
      const problems = [
        details?.State.OOMKilled ? 'OOM-killed' : '',
        restarts > 0 ? `${restarts} restarts` : '',
        details?.State.Error ? details.State.Error : '',
      ];
      return [name, image, status, problems.filter(Boolean).join(', '), ports];
    }),
  };
}
