// Not Grafana. The few requests of Grafana's HTTP API that Holdpoint sends, answered in the shapes that Grafana documents,
// from the real Prometheus and the real Alertmanager behind it:
//
//   node grafana-shapes.mjs HOST:PORT PROMETHEUS_URL ALERTMANAGER_URL
//
//   GET  /api/health, /api/org, /api/datasources
//   ANY  /api/datasources/proxy/uid/UID/…            to Prometheus
//   POST /api/ds/query                               data frames, one per series
//   ANY  /api/alertmanager/grafana/…                 to Alertmanager
//   GET  /api/prometheus/grafana/api/v1/rules        to Prometheus
import { createServer } from 'node:http';

const [address = '', prometheus = '', alertmanager = ''] = process.argv.slice(2);
const [host, port] = address.split(':');
const UID = 'live-prometheus';
const SOURCE = {
  id: 1,
  uid: UID,
  orgId: 1,
  name: 'Live Prometheus',
  type: 'prometheus',
  typeName: 'Prometheus',
  access: 'proxy',
  url: prometheus,
  isDefault: true,
  jsonData: { httpMethod: 'GET' },
  readOnly: true,
};

const server = createServer(async (request, response) => {
  try {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const url = new URL(request.url ?? '/', 'http://shapes');
    const answer = await route(request, url, body);
    response.writeHead(answer.status, { 'content-type': 'application/json' });
    response.end(answer.text);
  } catch (error) {
    response.writeHead(502, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ message: String(error) }));
  }
});
server.listen(Number(port), host);

async function route(request, url, body) {
  const { method = 'GET' } = request;
  const path = url.pathname;
  if (path === '/api/health') return json(200, { database: 'ok', version: 'shapes', commit: 'none' });
  if (path === '/api/org') return json(200, { id: 1, name: 'Main Org.' });
  if (path === '/api/datasources' && method === 'GET') return json(200, [SOURCE]);
  if (path === '/api/ds/query' && method === 'POST') return query(JSON.parse(body.toString('utf8')));
  const proxied = after(path, `/api/datasources/proxy/uid/${UID}/`);
  if (proxied !== undefined) return pass(request, `${prometheus}/${proxied}${url.search}`, body);
  if (path === '/api/prometheus/grafana/api/v1/rules')
    return pass(request, `${prometheus}/api/v1/rules?type=alert`, body);
  const managed = after(path, '/api/alertmanager/grafana/');
  if (managed !== undefined) return pass(request, `${alertmanager}/${managed}${url.search}`, body);
  return json(404, { message: 'Not found' });
}

function after(path, prefix) {
  return path.startsWith(prefix) ? path.slice(prefix.length) : undefined;
}

function json(status, value) {
  return { status, text: JSON.stringify(value) };
}

async function pass({ method, headers }, target, body) {
  const answer = await fetch(target, {
    method,
    headers: { 'content-type': headers['content-type'] ?? 'application/json' },
    ...(body.length > 0 ? { body } : {}),
  });
  return { status: answer.status, text: await answer.text() };
}

/** POST /api/ds/query: `results` by refId, each with frames, or with an error and its status. */
async function query({ queries, from, to }) {
  const results = {};
  for (const { refId, expr, instant, intervalMs, datasource } of queries) {
    if (datasource?.uid !== UID) return json(404, { message: 'data source not found' });
    const [start, end] = [Number(from) / 1000, Number(to) / 1000];
    const parameters = instant
      ? { query: expr, time: String(end) }
      : { query: expr, start: String(start), end: String(end), step: String(intervalMs / 1000) };
    const path = instant ? 'query' : 'query_range';
    const answer = await fetch(`${prometheus}/api/v1/${path}?${new URLSearchParams(parameters)}`);
    const said = await answer.json();
    results[refId] =
      said.status === 'success'
        ? { status: 200, frames: said.data.result.length > 0 ? frames(said.data, refId) : [frame(refId, {}, [])] }
        : { status: answer.status, frames: [], error: `${said.errorType}: ${said.error}`, errorSource: 'downstream' };
  }
  const failed = Object.values(results).some(({ error }) => error !== undefined);
  return json(failed ? 400 : 200, { results });
}

function frames({ resultType, result }, refId) {
  if (resultType === 'scalar') return [frame(refId, {}, [result])];
  return result.map(({ metric, values, value }) => frame(refId, metric, values ?? [value]));
}

function frame(refId, labels, samples) {
  const entities = { NaN: [], Inf: [], NegInf: [] };
  const named = { NaN: 'NaN', '+Inf': 'Inf', '-Inf': 'NegInf' };
  const values = samples.map(([, text], index) => {
    if (named[text] === undefined) return Number(text);
    entities[named[text]].push(index);
    return null;
  });
  const special = Object.values(entities).some((list) => list.length > 0);
  return {
    schema: {
      refId,
      meta: { type: 'timeseries-multi', typeVersion: [0, 1], custom: { resultType: 'matrix' } },
      fields: [
        { name: 'Time', type: 'time', typeInfo: { frame: 'time.Time' } },
        { name: 'Value', type: 'number', typeInfo: { frame: 'float64' }, labels, config: { displayNameFromDS: '' } },
      ],
    },
    data: {
      values: samples.length > 0 ? [samples.map(([at]) => Math.round(at * 1000)), values] : [],
      ...(special ? { entities: [null, entities] } : {}),
    },
  };
}
