import { sizeText } from './table.ts';
import type { Table } from './table.ts';

/** The Engine's `/system/df` up to API 1.51. */
export interface DiskUse {
  LayersSize?: number;
  Images?: { Containers: number; Size: number; SharedSize: number }[] | null;
  Containers?: { State: string; SizeRw?: number }[] | null;
  Volumes?: { UsageData?: { Size: number; RefCount: number } | null }[] | null;
  BuildCache?: { InUse: boolean; Shared: boolean; Size: number }[] | null;
}

const sum = (sizes: readonly number[]) => sizes.reduce((total, size) => total + Math.max(0, size), 0);

/** Totals and what `docker system prune --all --volumes` would free, counted as `docker system df` does. */
export function diskTable(use: DiskUse): Table {
  const images = use.Images ?? [];
  const usedImages = images.filter(({ Containers }) => Containers > 0);
  const containers = use.Containers ?? [];
  const running = ['running', 'paused', 'restarting'];
  const stopped = containers.filter(({ State }) => !running.includes(State));
  const volumes = (use.Volumes ?? []).map(({ UsageData }) => UsageData ?? { Size: 0, RefCount: 0 });
  const unused = volumes.filter(({ RefCount }) => RefCount === 0);
  // What is shared is counted where it is not.
  const cache = (use.BuildCache ?? []).filter(({ Shared }) => !Shared);
  const layers = use.LayersSize ?? 0;
  const row = (name: string, count: number, active: number, size: number, reclaimable: number) => [
    name,
    String(count),
    String(active),
    sizeText(size),
    sizeText(Math.max(0, reclaimable)),
  ];
  return {
    columns: ['what', 'count', 'in use', 'size', 'reclaimable'],
    rows: [
      row(
        'images',
        images.length,
        usedImages.length,
        layers,
        layers - sum(usedImages.map(({ Size, SharedSize }) => Size - SharedSize)),
      ),
      row(
        'containers',
        containers.length,
        containers.length - stopped.length,
        sum(containers.map(({ SizeRw }) => SizeRw ?? 0)),
        sum(stopped.map(({ SizeRw }) => SizeRw ?? 0)),
      ),
      row(
        'volumes',
        volumes.length,
        volumes.length - unused.length,
        sum(volumes.map(({ Size }) => Size)),
        sum(unused.map(({ Size }) => Size)),
      ),
      row(
        'build cache',
        (use.BuildCache ?? []).length,
        (use.BuildCache ?? []).filter(({ InUse }) => InUse).length,
        sum(cache.map(({ Size }) => Size)),
        sum(cache.filter(({ InUse }) => !InUse).map(({ Size }) => Size)),
      ),
    ],
  };
}
