import { AsyncLocalStorage } from 'node:async_hooks';
import type { Span, SpanContext } from '@opentelemetry/api';

/** Names and numbers alone: never an argument or a result, which could hold what nobody should read. */
type SpanFields = Readonly<Record<string, string | number | boolean>>;

/** Spans of what a call goes through. */
export interface Tracing {
  /** Does the work inside a span, below the caller's (W3C `traceparent`) where it sent one, else below the span around it. */
  span<T>(name: string, fields: SpanFields, work: () => Promise<T>, parent?: string): Promise<T>;
  /** Says more of the span that this runs in. */
  note(fields: SpanFields): void;
  /** The span that this runs in, as W3C `traceparent`, for requests to other systems. */
  traceparent(): string | undefined;
  /** Sends what is still to send. */
  close(): Promise<void>;
}

export const NO_TRACING: Tracing = {
  span: (_name, _fields, work) => work(),
  note: () => {},
  traceparent: () => undefined,
  close: async () => {},
};

/**
 * Spans sent as OTLP over HTTP. Where, and with which headers, is for the exporter's own environment variables
 * (`OTEL_EXPORTER_OTLP_*`); the vendor's code is loaded here.
 */
export async function createTracing(version: string, onerror: (error: Error) => void): Promise<Tracing> {
  const [
    { ROOT_CONTEXT, SpanKind, SpanStatusCode, diag, trace },
    { BatchSpanProcessor, TracerProvider },
    otlp,
    resources,
  ] = await Promise.all([
    import('@opentelemetry/api'),
    import('@opentelemetry/sdk-trace'),
    import('@opentelemetry/exporter-trace-otlp-http'),
    import('@opentelemetry/resources'),
  ]);
  const failed = (message: string) => onerror(new Error(`traces: ${message.slice(0, 300)}`));
  diag.setLogger({ error: failed, warn: failed, info: () => {}, debug: () => {}, verbose: () => {} });
  const provider = new TracerProvider({
    resource: resources
      .resourceFromAttributes({ 'service.name': 'holdpoint', 'service.version': version })
      .merge(resources.detectResources({ detectors: [resources.envDetector] })),
    spanProcessors: [new BatchSpanProcessor({ exporter: new otlp.OTLPTraceExporter() })],
  });
  const tracer = provider.getTracer('holdpoint', version);
  const inside = new AsyncLocalStorage<Span>();
  return {
    span(name, fields, work, parent) {
      const around = inside.getStore();
      const from = parsed(parent);
      const context = around
        ? trace.setSpan(ROOT_CONTEXT, around)
        : from
          ? trace.setSpanContext(ROOT_CONTEXT, from)
          : ROOT_CONTEXT;
      const kind = around ? SpanKind.INTERNAL : SpanKind.SERVER;
      const span = tracer.startSpan(name, { kind, attributes: { ...fields } }, context);
      return inside.run(span, async () => {
        try {
          return await work();
        } catch (error) {
          span.setStatus({ code: SpanStatusCode.ERROR });
          throw error;
        } finally {
          span.end();
        }
      });
    },
    note: (fields) => void inside.getStore()?.setAttributes({ ...fields }),
    traceparent() {
      const context = inside.getStore()?.spanContext();
      return context && `00-${context.traceId}-${context.spanId}-0${context.traceFlags & 1}`;
    },
    close: () => provider.shutdown(),
  };
}

/** https://www.w3.org/TR/trace-context/#traceparent-header; undefined for what is none. */
function parsed(traceparent: string | undefined): SpanContext | undefined {
  const match = /^[\da-f]{2}-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(?:-.*)?$/.exec(traceparent ?? '');
  const [, traceId = '', spanId = '', flags = ''] = match ?? [];
  if (/^0*$/.test(traceId) || /^0*$/.test(spanId) || traceparent?.startsWith('ff')) return undefined;
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & 1, isRemote: true };
}
