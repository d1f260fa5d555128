import type { Observation } from './services.ts';

export interface Metrics {
  observe: (observation: Observation) => void;
  /** Prometheus' text format. */
  text: () => Promise<string>;
}

/** Series for calls: how many, how they ended, how long they took. */
export async function createMetrics(pendingApprovals: () => Promise<number>): Promise<Metrics> {
  const { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } = await import('prom-client');
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: 'holdpoint_' });
  const calls = new Counter({
    name: 'holdpoint_calls_total',
    help: 'Tool calls by how they ended.',
    labelNames: ['tool', 'status'],
    registers: [registry],
  });
  const seconds = new Histogram({
    name: 'holdpoint_call_seconds',
    help: 'Duration of tool calls.',
    labelNames: ['tool'],
    buckets: [0.005, 0.02, 0.1, 0.5, 2, 10, 60, 300],
    registers: [registry],
  });
  // oxlint-disable-next-line no-new -- prom-client registers a gauge by making it
  new Gauge({
    name: 'holdpoint_approvals_pending',
    help: 'Approval requests that wait for a person.',
    registers: [registry],
    async collect() {
      this.set(await pendingApprovals());
    },
  });
  return {
    observe(observation) {
      calls.inc({ tool: observation.tool, status: observation.status });
      seconds.observe({ tool: observation.tool }, observation.seconds);
    },
    text: () => registry.metrics(),
  };
}
