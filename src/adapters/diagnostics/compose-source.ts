import { isDatabase, isDatabasePort } from './images.ts';
import { at, entries, isMapping, items, text } from './yaml-tree.ts';
import type { YamlNode } from './yaml-tree.ts';

export interface ComposeService {
  name: string;
  line: number;
  node: YamlNode;
  image: string | undefined;
  /** False for a part that another file or service completes, and for what runs once: what is absent there says nothing. */
  complete: boolean;
}

export interface Compose {
  root: YamlNode;
  services: ComposeService[];
}

export interface Mount {
  line: number;
  /** A path of the host; a named volume is none. */
  source: string;
  readOnly: boolean;
}

export interface Port {
  line: number;
  /** As written. */
  shown: string;
  /** The address it is published on; undefined for all. */
  host: string | undefined;
  container: number;
}

export function readCompose(root: YamlNode): Compose {
  const services = entries(at(root, 'services'))
    .filter(([, node]) => isMapping(node))
    .map(([name, node]): ComposeService => {
      const once = text(at(node, 'restart')) === 'no' || (text(at(node, 'deploy', 'mode'))?.endsWith('job') ?? false);
      const partial = at(node, 'extends') !== undefined || (!at(node, 'image') && !at(node, 'build'));
      return { name, line: node.line, node, image: text(at(node, 'image')), complete: !once && !partial };
    });
  return { root, services };
}

/** What a mapping, or a list of `NAME=value`, sets; the value is undefined where it comes from outside. */
export function settings(node: YamlNode | undefined): { line: number; name: string; value: string | undefined }[] {
  const listed = items(node).map((item) => {
    const [, name = '', value] = /^([^=]*)(?:=(.*))?$/s.exec(text(item) ?? '') ?? [];
    return { line: item.line, name, value };
  });
  return [...listed, ...entries(node).map(([name, value]) => ({ line: value.line, name, value: text(value) }))];
}

export function mountsOf(service: ComposeService): Mount[] {
  return items(at(service.node, 'volumes')).flatMap((item): Mount[] => {
    const written = text(item);
    if (written === undefined) {
      const source = text(at(item, 'source'));
      if (text(at(item, 'type')) !== 'bind' || source === undefined) return [];
      return [{ line: item.line, source, readOnly: at(item, 'read_only')?.value === true }];
    }
    const [source = '', target, mode = ''] = written.split(':');
    if (target === undefined || !/^[./~$]/.test(source)) return [];
    return [{ line: item.line, source, readOnly: mode.split(',').includes('ro') }];
  });
}

export function portsOf(service: ComposeService): Port[] {
  return items(at(service.node, 'ports')).flatMap((item): Port[] => {
    const written = text(item);
    if (written === undefined) {
      const container = Number(text(at(item, 'target')));
      return [{ line: item.line, shown: `${container}`, host: text(at(item, 'host_ip')), container }];
    }
    const [, bracketed, plain, container = ''] =
      /^(?:(?:\[([^\]]*)\]|([^:[\]]*)):(?=[^:]*:))?(?:[^:]*:)?(\d+)(?:-\d+)?(?:\/\w+)?$/.exec(written) ?? [];
    return [{ line: item.line, shown: written, host: bracketed ?? plain, container: Number(container) }];
  });
}

/** Whether a published port of this service is a database's. */
export function isDatabaseService({ image }: ComposeService, { container }: Port): boolean {
  return isDatabasePort(container) || (image !== undefined && isDatabase(image));
}
