import type { FakeDocker } from '../../../src/adapters/docker/fake.ts';
import type { FilesPort } from '../../../src/adapters/files/port.ts';
import type { FilesBench } from './bench.ts';
import type { Operation } from './race.ts';
import { bound, list, searchIn, textOf } from './workspace.ts';

const FILES = ['d/secret.txt', 'f.txt', 'h.txt', 'm/n/secret.txt', 'p.txt', 'l/secret.txt', 'd/sub/deep.txt'];
const FOLDERS = ['d', '.', 'm/n', 'l'];
const everything = () => true;

function of(names: readonly string[], cycle: number): string {
  return names[cycle % names.length] ?? '.';
}

/** Each method of the port, on what is exchanged. */
export function portOperations(files: FilesPort): Operation[] {
  const newFile = (cycle: number) => `${of(['d', 'm/n', 'l', 'd/made'], cycle)}/new-${cycle % 30}.txt`;
  return [
    ...fileOperations(files, FILES),
    { name: 'list', run: (cycle) => list(files, of(FOLDERS, cycle), { limit: 50, recursive: cycle % 2 === 0 }) },
    { name: 'search in file', run: (cycle) => searchIn(files, { query: 'i', glob: of(FILES, cycle), permits: everything, limit: 50 }) },
    { name: 'search', run: (cycle) => searchIn(files, { query: '/./', glob: `${of(['d', 'm', '*'], cycle)}/**`, permits: everything, limit: 50 }) },
    { name: 'write new', run: async (cycle) => files.write(await bound(files, newFile(cycle)), Buffer.from('x')) },
    { name: 'remove', run: async (cycle) => files.remove(await bound(files, newFile(cycle))) },
  ]; // prettier-ignore
}

/** Those of the port's methods that name a single file, on files that are there. */
export function fileOperations(files: FilesPort, names: readonly string[]): Operation[] {
  return [
    { name: 'look', run: (cycle) => files.look(of(names, cycle)) },
    { name: 'read', run: (cycle) => textOf(files, of(names, cycle)) },
    { name: 'read again', run: (cycle) => textOf(files, of(names, cycle + 1)) },
    { name: 'identity', run: async (cycle) => files.identity(await files.look(of(names, cycle))) },
    { name: 'expect', run: (cycle) => bound(files, of(names, cycle)) },
    { name: 'write', run: async (cycle) => files.write(await bound(files, of(names, cycle)), Buffer.from(`cycle ${cycle}`)) },
  ]; // prettier-ignore
}

/** Each tool that takes a path, through dispatch. What a held call would have done is not part of it, but for removals. */
export function toolOperations({ call, approveAndRun }: FilesBench, docker: FakeDocker): Operation[] {
  const answer = async (tool: string, args: Record<string, unknown>) => {
    const { envelope } = await call(tool, args);
    return { ...envelope, code: envelope.error?.code ?? envelope.status };
  };
  const yaml = (cycle: number) => ['kubernetes/service.yaml', 'docker/Dockerfile', 'docker-compose.yml', 'docker/redis/redis.conf'][cycle % 4]; // prettier-ignore
  return [
    { name: 'view', run: (cycle) => answer('view', { path: yaml(cycle) }) },
    { name: 'view folder', run: () => answer('view', { path: 'docker' }) },
    { name: 'file-search', run: () => answer('file-search', { glob: 'kubernetes/**' }) },
    { name: 'codebase-retrieval', run: (cycle) => answer('codebase-retrieval', { query: '/./', glob: ['docker/**', 'kubernetes/*', 'docker-compose.yml'][cycle % 3] }) },
    { name: 'save-file', run: (cycle) => answer('save-file', { path: `kubernetes/new-${cycle % 9}.yaml`, content: `kind: ConfigMap # ${cycle}\n` }) },
    { name: 'str-replace-editor', run: () => answer('str-replace-editor', { path: 'docker/redis/redis.conf', oldText: 'maxmemory-policy', newText: 'maxmemory-policy ' }) },
    { name: 'diagnostics', run: (cycle) => answer('diagnostics', { path: ['docker', yaml(cycle)][cycle % 2] }) },
    {
      name: 'docker-build',
      async run() {
        const built = await answer('docker-build', { context: 'docker', tags: ['app:1'] });
        return { ...built, sent: docker.builds.splice(0) };
      },
    },
    {
      name: 'remove-files',
      async run(cycle) {
        const held = await answer('remove-files', { paths: [`kubernetes/new-${cycle % 9}.yaml`] });
        if (!('approval' in held) || !held.approval) return held;
        const { envelope } = await approveAndRun(held.approval.id);
        return { ...envelope, code: envelope.error?.code ?? envelope.status };
      },
    },
  ]; // prettier-ignore
}
