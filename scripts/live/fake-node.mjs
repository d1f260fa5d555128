// A node that only pretends: it reports itself ready and marks the pods scheduled to it as running and ready.
// No container runs. An image with "bad" in its name fails to pull, so that a failing rollout can be tested.
//
//   node fake-node.mjs PORT PKI    PORT of the API server on 127.0.0.1; PKI, the folder with ca.crt, admin.crt, admin.key
import { readFileSync } from 'node:fs';
import https from 'node:https';

const [port, pki] = process.argv.slice(2);
const NODE = 'fake';
const STATUS_PATCH = 'application/strategic-merge-patch+json';

const agent = new https.Agent({
  keepAlive: true,
  ca: readFileSync(`${pki}/ca.crt`),
  cert: readFileSync(`${pki}/admin.crt`),
  key: readFileSync(`${pki}/admin.key`),
});

/** Sends one request to the API server; resolves to the parsed answer, whatever its status. */
function request(method, path, body, contentType = 'application/json') {
  const content = body ? JSON.stringify(body) : '';
  // Node.js sends a DELETE's body without its length, which breaks the connection's next request: give it.
  const headers = { 'content-type': contentType, 'content-length': Buffer.byteLength(content) };
  return new Promise((resolve, reject) => {
    const outgoing = https.request({ host: '127.0.0.1', port, path, method, agent, headers }, (incoming) => {
      let text = '';
      incoming.on('data', (chunk) => (text += chunk));
      incoming.on('end', () => {
        try {
          resolve(JSON.parse(text));
        } catch (error) {
          reject(error);
        }
      });
    });
    outgoing.on('error', reject);
    outgoing.end(content);
  });
}

/** Kubernetes' times have whole seconds. */
const now = () => new Date().toISOString().replace(/\.\d+/, '');

const reportReady = () => {
  const room = { cpu: '8', memory: '16Gi', pods: '110' };
  const ready = { type: 'Ready', status: 'True', reason: 'Fake', lastHeartbeatTime: now(), lastTransitionTime: now() };
  return request(
    'PATCH',
    `/api/v1/nodes/${NODE}/status`,
    { status: { capacity: room, allocatable: room, conditions: [ready] } },
    STATUS_PATCH,
  );
};

let started = 0;

/** The status that a kubelet would report for the pod a moment after its start. */
function runningStatus(pod) {
  const bad = pod.spec.containers.some(({ image }) => image.includes('bad'));
  const time = now();
  const state = bad ? { waiting: { reason: 'ImagePullBackOff', message: 'fake' } } : { running: { startedAt: time } };
  started += 1;
  return {
    phase: bad ? 'Pending' : 'Running',
    podIP: `10.9.0.${(started % 250) + 1}`,
    startTime: time,
    conditions: ['Initialized', 'Ready', 'ContainersReady'].map((type) => ({
      type,
      status: bad && type !== 'Initialized' ? 'False' : 'True',
      lastTransitionTime: time,
    })),
    containerStatuses: pod.spec.containers.map(({ name, image }) => ({
      name,
      image,
      imageID: 'fake',
      containerID: 'containerd://fake',
      ready: !bad,
      started: !bad,
      restartCount: 0,
      state,
    })),
  };
}

/** Ends the pods being deleted, starts the pods that are new. */
async function tendPods() {
  const { items = [] } = await request('GET', `/api/v1/pods?fieldSelector=spec.nodeName=${NODE}`);
  for (const pod of items) {
    const path = `/api/v1/namespaces/${pod.metadata.namespace}/pods/${pod.metadata.name}`;
    if (pod.metadata.deletionTimestamp) await request('DELETE', path, { gracePeriodSeconds: 0 });
    else if (pod.status.phase === 'Pending' && !pod.status.containerStatuses) {
      await request('PATCH', `${path}/status`, { status: runningStatus(pod) }, STATUS_PATCH);
    }
  }
}

await request('POST', '/api/v1/nodes', {
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name: NODE, labels: { 'kubernetes.io/hostname': NODE } },
});
await reportReady();

/** The API server may close a kept connection just as it is used; what failed is done again with the next round. */
const report = (error) => process.stderr.write(`${now()} ${error.stack}\n`);
setInterval(() => reportReady().catch(report), 10_000);
for (;;) {
  await tendPods().catch(report);
  await new Promise((resolve) => setTimeout(resolve, 200));
}
