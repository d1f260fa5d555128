import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Docker from 'dockerode';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';

import { canaries, hits } from '../canaries.ts';
import { bytesBelow, commandsOutput, openSession } from '../canary-session.ts';
import { approveTicking, holdpoint, newPlace } from '../harness.ts';
import { baseImage, liveServers } from './servers.ts';

const { dockerHost, kubeconfig } = liveServers();
const RUN = `canary-${process.pid}`;
const NAMESPACE = `${RUN}-staging`;
const IMAGE = 'local/canary:1';
const inEngine = canaries('live engine');
const inCluster = canaries('live cluster');
const inImage = canaries('live image');
const inBuild = canaries('live build').filter(({ text }) => !text.includes('\n'));
const planted = [...inEngine, ...inCluster, ...inImage, ...inBuild];
const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;

describe.skipIf(dockerHost === undefined || kubeconfig === undefined)(
  'planted secrets in a real Engine and a real cluster (C3)',
  () => {
    const engine = new Docker({ socketPath: (dockerHost ?? '').replace('unix://', '') });
    const apply = (objects: object[]) =>
      execFileSync('kubectl', ['--kubeconfig', kubeconfig ?? '', 'apply', '-f', '-'], {
        input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }),
        stdio: ['pipe', 'ignore', 'inherit'],
      });

    beforeAll(async () => {
      await baseImage(IMAGE);
      // Logs, environment, arguments and labels of a container; history and environment of an image made of it.
      const log = inEngine.map(({ text }) => text).join('\n');
      const made = await engine.createContainer({
        name: `${RUN}-api`,
        Image: IMAGE,
        Cmd: ['/bin/sh', '-c', `printf '%s\\n' ${quoted(log)}; exit 3`, '--password', inEngine[0]?.value ?? ''],
        Env: inEngine.flatMap(({ value }, at) => [`V${at}_TOKEN=${value}`, `CONFIG_${at}=${value}`]),
        Labels: Object.fromEntries(inEngine.map(({ text }, at) => [`label-${at}`, text])),
      });
      await made.start();
      await made.wait();
      await made.commit({
        repo: RUN,
        tag: '1',
        comment: inImage
          .map(({ text }) => text)
          .join(' ; ')
          .slice(0, 2000),
        changes: inImage
          .slice(0, 20)
          .map(({ value }, at) => `ENV V${at}_PASSWORD=${value}`)
          .join('\n'),
      });
      const metadata = (name: string) => ({
        name,
        namespace: NAMESPACE,
        annotations: { note: inCluster.map(({ text }) => text).join('\n') },
      });
      apply([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } }]);
      apply([
        {
          apiVersion: 'v1',
          kind: 'Secret',
          metadata: metadata('planted'),
          data: Object.fromEntries(inCluster.map(({ value }, at) => [`k${at}`, Buffer.from(value).toString('base64')])),
        },
        {
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata: metadata('planted'),
          data: Object.fromEntries(inCluster.map(({ text }, at) => [`file-${at}`, text])),
        },
        {
          apiVersion: 'apps/v1',
          kind: 'Deployment',
          metadata: metadata('planted'),
          spec: {
            replicas: 1,
            selector: { matchLabels: { app: 'planted' } },
            template: {
              metadata: {
                labels: { app: 'planted' },
                annotations: { note: inCluster.map(({ text }) => text).join('\n') },
              },
              spec: {
                containers: [
                  {
                    name: 'c',
                    image: 'docker.io/local/none-such:1',
                    imagePullPolicy: 'Never',
                    args: inCluster.map(({ text }) => text),
                    env: inCluster.map(({ value }, at) => ({ name: `V${at}_PASSWORD`, value })),
                  },
                ],
              },
            },
          },
        },
        ...inCluster.slice(0, 30).map(({ text }, at) => ({
          apiVersion: 'v1',
          kind: 'Event',
          metadata: { name: `planted.${at}`, namespace: NAMESPACE },
          involvedObject: { kind: 'Deployment', name: 'planted', namespace: NAMESPACE },
          type: 'Warning',
          reason: 'Failed',
          message: `${'word '.repeat(at * 2)}${text}`,
          lastTimestamp: new Date().toISOString().replace(/\.\d+/, ''),
          source: { component: 'canary' },
        })),
      ]);
    });

    afterAll(async () => {
      const all = await engine.listContainers({ all: true, filters: { name: [RUN] } });
      await Promise.all(all.map(({ Id }) => engine.getContainer(Id).remove({ force: true })));
      for (const tag of ['1', 'ends', 'fails'])
        await engine
          .getImage(`${RUN}:${tag}`)
          .remove({ force: true })
          .catch(() => {});
      execFileSync('kubectl', ['--kubeconfig', kubeconfig ?? '', 'delete', 'namespace', NAMESPACE, '--wait=false'], {
        stdio: 'ignore',
      });
    });

    test.each(['stdio', 'http'] as const)(
      '0 leave over %s, by a command, or lie in the state directory',
      async (transport) => {
        const place = newPlace({ KUBECONFIG: kubeconfig ?? '', DOCKER_HOST: dockerHost ?? '' });
        onTestFinished(place.remove);
        // A build whose steps print them, and one that fails with them on its lines.
        const lines = inBuild.map(({ text }) => `RUN echo ${quoted(text)}`);
        for (const [name, last] of [
          ['ends', 'true'],
          ['fails', 'exit 7'],
        ])
          writeFileSync(
            join(place.workspace, `docker/${name}.Dockerfile`),
            `FROM ${IMAGE}\nRUN printf '%s\\n' ${inBuild.map(({ text }) => quoted(text)).join(' ')}\n${lines.slice(0, 4).join('\n')}\nRUN printf '%s\\n' ${inBuild
              .slice(0, 12)
              .map(({ text }) => quoted(text))
              .join(' ')} && ${last}\n`,
          );
        await holdpoint(place, 'approver', 'add', 'ann');
        const session = await openSession(transport, place);
        const statuses: string[] = [];
        const held: string[] = [];
        const call = async (tool: string, args: Record<string, unknown>) => {
          const envelope = await session.call(tool, args);
          statuses.push(`${tool} ${JSON.stringify(args).slice(0, 60)} ${envelope.status}`);
          if (envelope.approval) held.push(envelope.approval.id);
        };
        for (const show of ['containers', 'images', 'disk', 'events'])
          await call('docker-get', { show, ...(show === 'containers' ? { all: true } : {}) });
        for (const show of ['logs', 'inspect']) await call('docker-get', { show, name: `${RUN}-api` });
        await call('docker-get', { show: 'logs', name: `${RUN}-api`, limit: 7 });
        for (const args of [
          ['inspect', `${RUN}-api`],
          ['image', 'inspect', `${RUN}:1`],
          ['history', '--no-trunc', `${RUN}:1`],
          ['logs', `${RUN}-api`],
        ])
          await call('launch-process', { program: 'docker', args });
        for (const name of ['ends', 'fails'])
          await call('docker-build', {
            context: 'docker',
            dockerfile: `docker/${name}.Dockerfile`,
            tags: [`${RUN}:${name}`],
          });
        const at = { namespace: NAMESPACE };
        for (const kind of ['secret', 'configmap', 'deployment'])
          await call('kubectl-get', { kind, name: 'planted', ...at });
        for (const kind of ['secrets', 'configmaps', 'deployments', 'pods', 'events'])
          await call('kubectl-get', { kind, ...at });
        await call('kubectl-get', { kind: 'deployment', name: 'planted', show: 'events', ...at, limit: 100 });
        await call('kubectl-get', { kind: 'deployment', name: 'planted', show: 'logs', ...at }).catch(() => {});
        for (const args of [
          ['get', 'configmap', 'planted', '-o', 'yaml'],
          ['describe', 'deployment', 'planted'],
          ['get', 'secret', 'planted', '-o', 'yaml'],
        ])
          await call('launch-process', { program: 'kubectl', args: [...args, '-n', NAMESPACE] });
        await call('kubectl-rollout', { action: 'restart', kind: 'deployment', name: 'planted', ...at, dryRun: true });
        await call('remove-files', { paths: ['docker/ends.Dockerfile'] });
        const requests = [...new Set(held)];
        for (const id of requests) await approveTicking(place, id, '--as', 'ann', '--yes');
        for (const id of requests) await call('approval', { action: 'run', id });
        await session.close();
        const left = session.left();
        const commands = await commandsOutput(place, requests);
        const state = bytesBelow(place.state);

        const done = statuses.filter((status) => status.endsWith(' done'));
        expect(done.length, statuses.join('\n')).toBeGreaterThan(14);
        for (const name of ['docker-get', 'kubectl-get', 'docker-build'])
          expect(
            done.some((status) => status.startsWith(name)),
            `${name}\n${statuses.join('\n')}`,
          ).toBe(true);
        expect(left.includes('[redacted]')).toBe(true);
        expect(hits(left, planted)).toEqual([]);
        expect(hits(commands, planted)).toEqual([]);
        expect(hits(state, planted)).toEqual([]);
        // They are where they were planted, and the same search finds them there.
        expect(hits(readFileSync(join(place.workspace, 'docker/fails.Dockerfile')), planted).length).toBeGreaterThan(
          20,
        );
        const { stdout } = await engine
          .getContainer((await engine.listContainers({ all: true, filters: { name: [`${RUN}-api`] } }))[0]?.Id ?? '')
          .inspect()
          .then((all) => ({ stdout: JSON.stringify(all) }));
        expect(hits(Buffer.from(stdout), planted).length).toBeGreaterThan(60);
      },
    );
  },
);
