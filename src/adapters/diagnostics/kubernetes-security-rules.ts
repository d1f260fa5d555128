import type { Rule } from './finding.ts';
import { eachContainer, eachWorkload, named } from './kubernetes-pod-rules.ts';
import { securityOf } from './kubernetes-source.ts';
import type { PlacedManifests } from './kubernetes-source.ts';
import { isInlineSecret } from './secrets.ts';
import { at, items, text } from './yaml-tree.ts';

const DANGEROUS_PATHS =
  /^\/(?:|etc|proc|root|boot|dev|sys|home|usr|var|run|var\/run|var\/lib\/kubelet|var\/lib\/docker|etc\/kubernetes)\/?$|\.sock$/;
const DANGEROUS_CAPABILITIES =
  /^(?:CAP_)?(?:ALL|SYS_ADMIN|SYS_PTRACE|SYS_MODULE|SYS_RAWIO|NET_ADMIN|NET_RAW|DAC_READ_SEARCH|BPF|SYS_BOOT)$/;

export const KUBERNETES_SECURITY_RULES: readonly Rule<PlacedManifests>[] = [
  {
    id: 'root-user',
    severity: 'warning',
    why: 'Who breaks out of the process is root in the container.',
    fix: 'securityContext: { runAsNonRoot: true, runAsUser: 10001 }',
    check: eachContainer(function* (container, workload) {
      const user = securityOf(workload, container, 'runAsUser');
      const nonRoot = securityOf(workload, container, 'runAsNonRoot');
      if (user?.value === 0) yield { line: user.line, what: `${named(workload, container)}: runs as root` };
      else if (nonRoot?.value !== true && typeof user?.value !== 'number')
        yield { line: nonRoot?.line ?? container.line, what: `${named(workload, container)}: may run as root` };
    }),
  },
  {
    id: 'privilege-escalation',
    severity: 'warning',
    why: 'A set-uid program in the image makes the process root again.',
    fix: 'securityContext: { allowPrivilegeEscalation: false }',
    check: eachContainer(function* (container, workload) {
      const allowed = at(container.node, 'securityContext', 'allowPrivilegeEscalation');
      if (allowed?.value !== false)
        yield { line: allowed?.line ?? container.line, what: `${named(workload, container)}: privileges may grow` };
    }),
  },
  {
    id: 'writable-root-filesystem',
    severity: 'info',
    why: 'An intruder can change the program or put tools beside it.',
    fix: 'securityContext: { readOnlyRootFilesystem: true }   # with an emptyDir for /tmp',
    check: eachContainer(function* (container, workload) {
      const readOnly = at(container.node, 'securityContext', 'readOnlyRootFilesystem');
      if (readOnly?.value !== true)
        yield {
          line: readOnly?.line ?? container.line,
          what: `${named(workload, container)}: root file system is writable`,
        };
    }),
  },
  {
    id: 'privileged',
    severity: 'error',
    why: 'The container is root on the node.',
    fix: 'Remove privileged: true; add the one capability that is needed.',
    check: eachContainer(function* (container, workload) {
      const privileged = at(container.node, 'securityContext', 'privileged');
      if (privileged?.value === true)
        yield { line: privileged.line, what: `${named(workload, container)}: runs privileged` };
    }),
  },
  {
    id: 'added-capabilities',
    severity: 'warning',
    why: 'It is nearly as much as root on the node.',
    fix: 'capabilities: { drop: [ALL], add: [NET_BIND_SERVICE] }',
    check: eachContainer(function* (container, workload) {
      for (const capability of items(at(container.node, 'securityContext', 'capabilities', 'add')))
        if (DANGEROUS_CAPABILITIES.test(text(capability) ?? ''))
          yield { line: capability.line, what: `${named(workload, container)}: adds ${text(capability)}` };
    }),
  },
  {
    id: 'capabilities-kept',
    severity: 'info',
    why: 'Containers get a dozen capabilities that servers do not use.',
    fix: 'securityContext: { capabilities: { drop: [ALL] } }',
    check: eachContainer(function* (container, workload) {
      const dropped = items(at(container.node, 'securityContext', 'capabilities', 'drop'));
      if (!dropped.some((capability) => text(capability)?.toUpperCase() === 'ALL'))
        yield { line: container.line, what: `${named(workload, container)}: keeps the default capabilities` };
    }),
  },
  {
    id: 'host-namespace',
    severity: 'error',
    why: 'The pod sees the node’s processes or network, past every network policy.',
    fix: 'Remove it; reach the pod through a Service.',
    check: eachWorkload(function* (workload) {
      for (const key of ['hostNetwork', 'hostPID', 'hostIPC']) {
        const found = at(workload.podSpec, key);
        if (found?.value === true) yield { line: found.line, what: `${named(workload)}: ${key}` };
      }
    }),
  },
  {
    id: 'host-path',
    severity: 'warning',
    why: 'The pod reads or changes files of the node, and finds others on the next one.',
    fix: 'Use a persistentVolumeClaim, configMap or emptyDir.',
    check: eachWorkload(function* (workload) {
      for (const volume of items(at(workload.podSpec, 'volumes'))) {
        const found = at(volume, 'hostPath');
        const path = text(at(found, 'path')) ?? '';
        if (found)
          yield {
            line: found.line,
            what: `${named(workload)}: mounts ${path} of the node`,
            severity: DANGEROUS_PATHS.test(path) ? 'error' : 'warning',
          };
      }
    }),
  },
  {
    id: 'inline-secret',
    severity: 'error',
    why: 'Everybody who can read the repository or the object has it.',
    fix: 'valueFrom: { secretKeyRef: { name: <secret>, key: <key> } }   # then change the secret',
    check: eachContainer(function* (container, workload) {
      for (const variable of items(at(container.node, 'env'))) {
        const name = text(at(variable, 'name')) ?? '';
        const value = at(variable, 'value');
        if (value && isInlineSecret(name, text(value) ?? ''))
          yield { line: value.line, what: `${named(workload, container)}: ${name} has its value in the file` };
      }
    }),
  },
  {
    id: 'service-account-token',
    severity: 'info',
    why: 'Every pod gets a token for the API that most never use.',
    fix: 'automountServiceAccountToken: false',
    check: eachWorkload(function* (workload) {
      const account = text(at(workload.podSpec, 'serviceAccountName')) ?? 'default';
      if (account === 'default' && at(workload.podSpec, 'automountServiceAccountToken')?.value !== false)
        yield { line: workload.podSpec.line, what: `${named(workload)}: mounts the default service account’s token` };
    }),
  },
];
