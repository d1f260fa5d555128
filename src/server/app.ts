import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import type { Logger } from 'pino';

import { createFiles } from '../adapters/files/client.ts';
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
import { SKILLS } from '../config/locations.ts';
import { prepared } from '../config/prepared.ts';
import type { KubernetesFacts } from '../core/facts.ts';
import type { Ports } from '../core/tool.ts';
import { checkBudget } from '../personas/budget.ts';
import { loadPersona, policyFileOf } from '../personas/persona.ts';
import { loadPolicy } from '../policy/load.ts';
import { createRedactor, knownSecrets } from '../redact/redact.ts';
import { openStore } from '../store/sqlite.ts';
import type { Store } from '../store/store.ts';
import { createAlarm } from './alarm.ts';
import { createDispatch, type Dispatch } from './dispatch.ts';
import { createEvidence } from './evidence.ts';
import { flowFiles, flowPorts, startedData } from './flow-ports.ts';
import { createKnowledge } from './knowledge.ts';
import { createLimits } from './limits.ts';
import { toolList } from './mcp.ts';
import { NO_UPSTREAMS, upstreamsOf } from './no-upstreams.ts';
import { createPolicySource } from './policy-source.ts';
import { realPorts } from './real-ports.ts';
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
  const [persona, ours, read] = await Promise.all([loadPersona(config.persona), loadRegistry(), readFacts(config)]);
  const upstreams = await upstreamsOf(config, persona, log, (data) =>
    audit.append({ kind: 'upstream.changed', data: redactor.json(data) }),
  );
  const registry = new Map([...ours, ...(upstreams?.tools ?? [])]);
  const facts = kubernetes ? { ...read, kubernetes } : read;
  const policyFile = config.policy ? policyFileOf(config.policy) : persona.policyFile;
  const policies = await createPolicySource(policyFile, (file) =>
    loadPolicy(file, { tools: (name) => ours.get(name), facts, prepared: prepared.policies }),
  );
  const redactor = createRedactor([...knownSecrets(config), ...(upstreams?.secrets ?? [])]);
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
  const operators = [config.file ?? [], config.document ?? [], upstreams?.files ?? []].flat();
  const protect = [
    policyFile,
    ...besidePolicy,
    persona.folder,
    SKILLS,
    ...flowFiles(persona),
    ...operators,
    cacheFolder(),
  ];
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
  const real = { ...realPorts(config, facts, protect, redactor), upstream: upstreams?.port ?? NO_UPSTREAMS };
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
  const flow = flowPorts(config, persona, { store, audit, approvals, redact: redactor.text });
  const { memory, ...knowledge } = createKnowledge(store, audit, config.workspace);
  const draining = new AbortController();
  const stopping = new AbortController();
  const services: Services = {
    registry,
    persona,
    policies,
    facts,
    ports: { files, memory, ...real, ...flow, ...ports },
    ...knowledge,
    audit,
    approvals,
    redactor,
    results: createResults(),
    ...(upstreams && { waitingUpstreams: upstreams.waiting }),
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
  const { digest } = await policies.current();
  audit.append({ kind: 'server.started', data: startedData(persona, digest, services.owner, config) });
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
      await services.ports.upstream.close();
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
