import { isDatabaseService, mountsOf, portsOf, settings } from './compose-source.ts';
import type { Compose, ComposeService } from './compose-source.ts';
import type { Found, Rule } from './finding.ts';
import { floats, readImage } from './images.ts';
import { isInlineSecret, isSecretFile } from './secrets.ts';
import { at, entries, items, text } from './yaml-tree.ts';

const SOCKET = /(?:^|\/)docker\.sock$/;
const HOST_FOLDERS =
  /^(?:\/|~|\$\{?HOME\}?|\/(?:bin|boot|dev|etc|home|lib|lib64|opt|proc|root|run|sbin|srv|sys|usr|var|var\/run|var\/lib|var\/lib\/docker|var\/lib\/kubelet))\/?$/;
const EVERYWHERE = /^(?:|0\.0\.0\.0|::|\*)$/;

/** A rule that looks at each service by itself. */
function each(check: (service: ComposeService) => Iterable<Found>): Rule<Compose>['check'] {
  return ({ services }) => services.flatMap((service) => [...check(service)]);
}

export const COMPOSE_RULES: readonly Rule<Compose>[] = [
  {
    id: 'compose-version-key',
    severity: 'info',
    why: 'Compose ignores it and warns at every start.',
    fix: 'Remove the line.',
    *check({ root }) {
      const version = at(root, 'version');
      if (version) yield { line: version.line, what: 'has the obsolete key version' };
    },
  },
  {
    id: 'latest-image',
    severity: 'warning',
    why: 'What runs changes without a change of this file, and nothing says what to go back to.',
    fix: 'image: name:1.2.3',
    check: each(function* ({ name, node, image }) {
      const how = image === undefined || at(node, 'build') ? undefined : floats(image);
      if (how)
        yield {
          line: at(node, 'image')?.line ?? node.line,
          what: `${name}: image ${image} ${how}`,
          fix: `image: ${readImage(image ?? '')?.name}:<version>`,
        };
    }),
  },
  {
    id: 'privileged',
    severity: 'error',
    why: 'The container is root on the host.',
    fix: 'Remove privileged: true; add the one capability that is needed with cap_add.',
    check: each(function* ({ name, node }) {
      const privileged = at(node, 'privileged');
      if (privileged?.value === true) yield { line: privileged.line, what: `${name}: runs privileged` };
    }),
  },
  {
    id: 'host-namespace',
    severity: 'error',
    why: 'The container sees the host’s processes or reaches everything that listens on it.',
    fix: 'Remove it; publish single ports with ports: ["127.0.0.1:8000:8000"].',
    check: each(function* ({ name, node }) {
      for (const key of ['network_mode', 'pid', 'ipc', 'userns_mode']) {
        const found = at(node, key);
        if (found && text(found) === 'host') yield { line: found.line, what: `${name}: ${key}: host` };
      }
    }),
  },
  {
    id: 'docker-socket',
    severity: 'error',
    why: 'Who has the socket starts any container, as root on the host; read-only does not change that.',
    fix: 'Remove the mount; put a socket proxy that allows single requests in between where it is needed.',
    check: each(function* (service) {
      for (const { line, source } of mountsOf(service))
        if (SOCKET.test(source)) yield { line, what: `${service.name}: mounts the Docker socket` };
    }),
  },
  {
    id: 'host-mount',
    severity: 'error',
    why: 'The container can read, and mostly change, the host’s own files or secrets.',
    fix: 'Mount the one folder that is needed (./data:/data:ro); give secrets with secrets: or env_file:.',
    check: each(function* (service) {
      for (const { line, source } of mountsOf(service))
        if (HOST_FOLDERS.test(source) || isSecretFile(source))
          yield { line, what: `${service.name}: mounts ${source} of the host` };
    }),
  },
  {
    id: 'inline-secret',
    severity: 'error',
    why: 'Everybody who can read the repository has it, for as long as the history lasts.',
    fix: 'NAME: ${NAME:?set it in .env}   # .env is not committed; change the secret',
    check: each(function* ({ name, node }) {
      const all = [at(node, 'environment'), at(node, 'build', 'args'), at(node, 'labels')].flatMap(settings);
      for (const { line, name: key, value } of all)
        if (value !== undefined && isInlineSecret(key, value))
          yield {
            line,
            what: `${name}: ${key} has its value in the file`,
            fix: `${key}: \${${key}:?set it in .env}   # then change the secret`,
          };
    }),
  },
  {
    id: 'no-healthcheck',
    severity: 'warning',
    why: 'A process that hangs counts as running, and nothing can wait until it is ready.',
    fix: 'healthcheck: { test: ["CMD", "curl", "-fsS", "http://localhost:8000/health"], interval: 10s, timeout: 3s, retries: 3 }',
    check: each(function* ({ name, line, node, complete }) {
      if (!complete || at(node, 'healthcheck')) return;
      // What is built may have a HEALTHCHECK in its Dockerfile.
      const built = at(node, 'build') !== undefined;
      yield { line, what: `${name}: no healthcheck${built ? ' here' : ''}`, severity: built ? 'info' : 'warning' };
    }),
  },
  {
    id: 'depends-without-health',
    severity: 'warning',
    why: 'It starts as soon as the other container has started, not when that can answer.',
    fix: 'depends_on: { redis: { condition: service_healthy } }',
    check: each(function* ({ name, node }) {
      const depends = at(node, 'depends_on');
      const conditioned = entries(depends).filter(
        ([, entry]) => !/^service_(?:healthy|completed_successfully)$/.test(text(at(entry, 'condition')) ?? ''),
      );
      const names = [...items(depends).flatMap((item) => text(item) ?? []), ...conditioned.map(([other]) => other)];
      if (depends && names.length > 0)
        yield {
          line: depends.line,
          what: `${name}: does not wait until ${names.join(', ')} is healthy`,
          fix: `depends_on: { ${names.map((other) => `${other}: { condition: service_healthy }`).join(', ')} }`,
        };
    }),
  },
  {
    id: 'open-database-port',
    severity: 'warning',
    why: 'Published without an address it listens on every network, past the host’s firewall.',
    fix: 'ports: ["127.0.0.1:5432:5432"]   # or none: services reach each other by name',
    check: each(function* (service) {
      for (const port of portsOf(service))
        if (EVERYWHERE.test(port.host ?? '') && isDatabaseService(service, port))
          yield { line: port.line, what: `${service.name}: publishes ${port.shown} of a database on all addresses` };
    }),
  },
  {
    id: 'no-restart-policy',
    severity: 'info',
    why: 'After a crash or a restart of the host it stays down.',
    fix: 'restart: unless-stopped',
    check: each(function* ({ name, line, node, complete }) {
      if (complete && !at(node, 'restart') && !at(node, 'deploy', 'restart_policy'))
        yield { line, what: `${name}: no restart policy` };
    }),
  },
  {
    id: 'no-resource-limits',
    severity: 'info',
    why: 'One service can take all memory of the host from the others.',
    fix: 'deploy: { resources: { limits: { memory: 512M, cpus: "0.5" } } }',
    check: each(function* ({ name, line, node, complete }) {
      const limited = at(node, 'deploy', 'resources', 'limits') ?? at(node, 'mem_limit');
      if (complete && !limited) yield { line, what: `${name}: no limit of memory` };
    }),
  },
  {
    id: 'root-user',
    severity: 'info',
    why: 'Who breaks out of the process is root in the container, unless its image sets another user.',
    fix: 'user: "10001:10001"',
    check: each(function* ({ name, line, node, complete }) {
      const user = at(node, 'user');
      const written = text(user);
      if (user && written !== undefined && /^(?:root|0+)(?::|$)/.test(written))
        yield { line: user.line, what: `${name}: runs as root`, severity: 'warning' };
      else if (!user && complete) yield { line, what: `${name}: no user` };
    }),
  },
];
