import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import type { Logger } from 'pino';

import { createDocker } from '../adapters/docker/client.ts';
import { createFiles } from '../adapters/files/client.ts';
import { createGit } from '../adapters/git/client.ts';
import { createGitHub } from '../adapters/github/client.ts';
import { createKubernetes } from '../adapters/kubernetes/client.ts';
import { createMonitoring } from '../adapters/monitoring/client.ts';
import { createProcesses } from '../adapters/processes/client.ts';
import { createWeb } from '../adapters/web/client.ts';
import { openApprovers } from '../approvals/approvers.ts';
import { createApprovals } from '../approvals/approvals.ts';
import type { Point } from '../approvals/points.ts';
import { openSealKey } from '../approvals/seal.ts';
import { createCheckpointing, type Checkpointing } from '../audit/checkpoints.ts';
import { createAuditLog } from '../audit/log.ts';
import { placeOf } from '../audit/places/places.ts';
import { cacheFolder } from '../config/compile-cache.ts';
import { refuseExposed, type Config } from '../config/config.ts';
import { VERSION } from '../config/version.ts';
import { readFacts } from '../config/facts.ts';
import { prepared } from '../config/prepared.ts';
import type { Facts, KubernetesFacts } from '../core/facts.ts';
import { HoldpointError } from '../core/errors.ts';
import type { Ports } from '../core/tool.ts';
import { checkBudget } from '../personas/budget.ts';
import { loadPersona, policyFileOf } from '../personas/persona.ts';
import { loadPolicy } from '../policy/load.ts';
import { createRedactor, knownSecrets, type Redactor } from '../redact/redact.ts';
import { openStore } from '../store/sqlite.ts';
import type { Store } from '../store/store.ts';
import { createAlarm } from './alarm.ts';
import { createDispatch, type Dispatch } from './dispatch.ts';
import { createEvidence } from './evidence.ts';
import { createLimits } from './limits.ts';
import { toolList } from './mcp.ts';
import { createPolicySource } from './policy-source.ts';
import { loadRegistry } from './registry.ts';
import { createResults } from './results.ts';
import type { Observation, RunPoint, Services } from './services.ts';
import { createTracing, NO_TRACING } from './tracing.ts';

/** How often overdue requests and lost leases are looked for, in milliseconds. */
const SWEEP = 5000;

export interface App {
  services: Services;
  dispatch: Dispatch;
  store: Store;
  checkpointing: Pick<Checkpointing, 'failing'>;
  /** Lets what runs come to its end, then closes everything. */
  stop(): Promise<void>;
}

export interface AppOptions {
  config: Config;
  log: Logger;
  /** For metrics; replaced by the HTTP transport. */
  observe?: (observation: Observation) => void;
  /** Ports to use instead of the real ones, in tests. */
  ports?: Partial<Ports>;
  /** The contexts behind such a port, instead of the kubeconfig's. */
  kubernetes?: KubernetesFacts;
  /** Where a person looks at a request; nowhere while it gives nothing. */
  reviewUrl?: (id: string) => string | undefined;
  /** The crash tests' seam. */
  at?: (point: Point | RunPoint) => void;
}

/**
 * Puts one server process together: everything that dispatch works with, each made once.
 *
 * @throws HoldpointError `invalid_input` for a persona, policy or setting that is wrong; nothing has been started then.
 */
export async function createApp({
  config,
  log,
  observe = () => {},
  ports,
  kubernetes,
  reviewUrl = () => undefined,
  at = () => {},
}: AppOptions): Promise<App> {
  refuseExposed(config);
  const [persona, registry, read] = await Promise.all([loadPersona(config.persona), loadRegistry(), readFacts(config)]);
  const facts = kubernetes ? { ...read, kubernetes } : read;
  const policyFile = config.policy ? policyFileOf(config.policy) : persona.policyFile;
  const policies = await createPolicySource(policyFile, (file) =>
    loadPolicy(file, { tools: (name) => registry.get(name), facts, prepared: prepared.policies }),
  );
  const redactor = createRedactor(knownSecrets(config));
  const store = await openStore(config.state);
  const audit = createAuditLog({
    store,
    redact: redactor.json,
    checkpointEvery: config.audit.checkpointRecords,
    onCheckpoint: (head) => checkpointing.written(head),
  });
  const checkpointing = createCheckpointing({
    store,
    checkpoint: () => audit.checkpoint(),
    places: config.audit.checkpoints.map((setting) => placeOf(setting, config.environment['PATH'] ?? '')),
    every: config.audit.checkpointEvery,
    report: (place, err) => log.error({ place, err }, 'a checkpoint could not be kept outside'),
  });
  const sealKey = openSealKey(config.keys);
  // What binds the agent is not the agent's to change, wherever it lies.
  const { files: besidePolicy } = await policies.current();
  const given = [config.file, config.document].filter((each) => each !== undefined);
  const protect = [policyFile, ...besidePolicy, persona.folder, ...given, cacheFolder()];
  const files = createFiles({
    workspace: config.workspace,
    undoDir: join(config.state, 'undo'),
    undoKey: sealKey,
    undoLimits: config.undo,
    protect,
  });
  const tracing = config.otlp
    ? await createTracing(VERSION, (error) => log.warn({ err: error }, 'tracing'))
    : NO_TRACING;
  const real = realPorts(config, facts, protect, redactor);
  const alarm = createAlarm(config.alerts.webhook, redactor.text, (level, fields, message) =>
    log[level](fields, message),
  );
  const approvals = createApprovals({
    audit,
    store,
    approvers: openApprovers(config.keys),
    sealKey,
    limits: config.approvals,
    evidence: createEvidence({ ports: { ...real, ...ports }, facts, redact: redactor.text }),
    alarm: alarm.sound,
    at,
  });
  const draining = new AbortController();
  const stopping = new AbortController();
  const services: Services = {
    registry,
    persona,
    policies,
    facts,
    ports: { files, ...real, ...ports },
    audit,
    approvals,
    redactor,
    results: createResults(),
    limits: createLimits(config.limits, () => performance.now()),
    maxBytes: config.results.maxBytes,
    reviewUrl,
    now: () => Date.now(),
    owner: `${hostname()}-${process.pid}-${randomBytes(4).toString('hex')}`,
    leaseRenewal: Math.max(1000, Math.floor(config.approvals.lease / 3)),
    draining: draining.signal,
    stopping: stopping.signal,
    observe(observation) {
      const { event, ...fields } = observation;
      log[event === 'call' ? 'info' : 'debug'](fields, event);
      observe(observation);
    },
    tracing,
    log: (level, fields, message) => log[level](fields, message),
    at,
  };
  checkBudget(persona, toolList(services, 'persona'));
  const dispatch = createDispatch(services);
  const sweep = setInterval(
    () => void approvals.sweep().catch((err: unknown) => log.error({ err }, 'sweep failed')),
    SWEEP,
  );
  sweep.unref();
  audit.append({
    kind: 'server.started',
    data: { persona: persona.name, policy: (await policies.current()).digest, owner: services.owner },
  });
  return {
    services,
    dispatch,
    store,
    checkpointing,
    async stop() {
      clearInterval(sweep);
      draining.abort(new Error('Holdpoint is stopping'));
      await dispatch.idle();
      stopping.abort(new Error('Holdpoint is stopping'));
      await alarm.told();
      await services.ports.processes.close();
      await real.git.close();
      files.close();
      audit.append({ kind: 'server.stopped', data: { owner: services.owner } });
      await audit.checkpoint();
      await checkpointing.stop();
      await audit.close();
      await store.close();
      await tracing.close().catch((error: unknown) => log.warn({ err: error }, 'tracing'));
    },
  };
}

function realPorts(
  { workspace, environment, docker, kubernetes, github, monitoring, web, processes, state, keys }: Config,
  { programs }: Facts,
  protect: readonly string[],
  redactor: Redactor,
): Omit<Ports, 'files' | 'git'> & { git: ReturnType<typeof createGit> } {
  // What a file or a default says of the two counts for programs as well.
  const settings = {
    ...(kubernetes.kubeconfig ? { KUBECONFIG: kubernetes.kubeconfig } : {}),
    ...(docker.host ? { DOCKER_HOST: docker.host } : {}),
  };
  const sandbox = { mode: processes.sandbox, hidden: [state, keys], fixed: protect, readable: processes.readable };
  return {
    processes: createProcesses({
      mask: redactor.stream,
      workspace,
      environment: { ...environment, ...settings },
      sandbox,
      limits: { memoryBytes: processes.memoryMb * 1_048_576, processes: processes.maxProcesses },
    }),
    git: createGit({
      workspace,
      environment,
      sandbox,
      grammar: programs['git'] ?? lacking('git'),
      ...(github.token ? { credentials: { host: hostOf(github.url), token: github.token } } : {}),
    }),
    docker: createDocker(docker.host ? { host: docker.host } : {}),
    github: createGitHub({ url: github.url, ...(github.token ? { token: github.token } : {}) }),
    monitoring: createMonitoring(monitoring),
    web: createWeb({ privateHosts: web.privateHosts }),
    kubernetes: createKubernetes({
      workspace,
      ...(kubernetes.kubeconfig ? { kubeconfig: kubernetes.kubeconfig } : {}),
    }),
  };
}

/** Where one pushes to on the GitHub of this API: `github.com` of `api.github.com`, else the same host. */
function hostOf(api: string): string {
  return new URL(api).hostname.replace(/^api\./, '');
}

function lacking(program: string): never {
  throw new HoldpointError('internal', `policies/programs has no ${program}.yaml.`);
}
