import type { State } from '../approvals/states.ts';
import type { Observation } from './services.ts';

export interface Metrics {
  observe: (observation: Observation) => void;
  /** Prometheus' text format. */
  text: () => Promise<string>;
}

/** What is looked up when the series are read, since other processes change it too. */
export interface MetricSources {
  approvals: () => Promise<{ states: Record<State, number>; oldestPending: number | undefined }>;
  /** What keeps calls from being answered; undefined when nothing does. */
  problem: () => Promise<string | undefined>;
  /** How many places for checkpoints did not take the last one. */
  checkpointsFailing: () => number;
  version: string;
  persona: string;
}

/** Series for calls, decisions, approvals and this process. Label values come from our own lists, never from a caller. */
export async function createMetrics(sources: MetricSources): Promise<Metrics> {
  const { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } = await import('prom-client');
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry, prefix: 'holdpoint_' });
  const calls = new Counter({
    name: 'holdpoint_calls_total',
    help: 'Tool calls by how they ended.',
    labelNames: ['tool', 'status', 'code'],
    registers,
  });
  const decisions = new Counter({
    name: 'holdpoint_decisions_total',
    help: 'Decisions of the policy.',
    labelNames: ['tool', 'verdict', 'environment'],
    registers,
  });
  const limited = new Counter({
    name: 'holdpoint_rate_limited_total',
    help: 'Calls that were not taken because their principal made too many.',
    labelNames: ['transport'],
    registers,
  });
  const seconds = new Histogram({
    name: 'holdpoint_call_seconds',
    help: 'Duration of tool calls.',
    labelNames: ['tool'],
    buckets: [0.005, 0.02, 0.1, 0.5, 2, 10, 60, 300],
    registers,
  });
  const gauges = [
    new Gauge({
      name: 'holdpoint_approvals',
      help: 'Approval requests by state.',
      labelNames: ['state'],
      registers,
      async collect() {
        for (const [state, count] of Object.entries((await sources.approvals()).states)) this.set({ state }, count);
      },
    }),
    new Gauge({
      name: 'holdpoint_approvals_oldest_pending_seconds',
      help: 'How long the oldest request has been waiting for a person; 0 where none is.',
      registers,
      async collect() {
        const { oldestPending } = await sources.approvals();
        this.set(oldestPending === undefined ? 0 : Math.max(0, (Date.now() - oldestPending) / 1000));
      },
    }),
    new Gauge({
      name: 'holdpoint_ready',
      help: 'Whether calls can be answered: the policy is valid and the audit log can be written.',
      registers,
      async collect() {
        this.set((await sources.problem()) === undefined ? 1 : 0);
      },
    }),
    new Gauge({
      name: 'holdpoint_checkpoint_places_failing',
      help: 'Places outside that did not take the last checkpoint of the audit log.',
      registers,
      collect() {
        this.set(sources.checkpointsFailing());
      },
    }),
    new Gauge({ name: 'holdpoint_build_info', help: 'Always 1.', labelNames: ['version', 'persona'], registers }),
  ];
  gauges.at(-1)?.set({ version: sources.version, persona: sources.persona }, 1);
  return {
    observe(observation) {
      if (observation.event === 'rate-limited') {
        limited.inc({ transport: observation.transport });
        return;
      }
      const { tool } = observation;
      if (observation.event === 'decision') {
        decisions.inc({ tool, verdict: observation.verdict, environment: observation.environment });
        return;
      }
      calls.inc({ tool, status: observation.status, code: observation.code ?? '' });
      seconds.observe({ tool }, observation.seconds);
    },
    text: () => registry.metrics(),
  };
}
