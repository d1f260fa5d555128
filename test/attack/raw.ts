import { request } from 'node:http';

import type { Step } from './case.ts';
import { frames } from './connect.ts';
import { inWorld, type Run } from './running.ts';

type RawStep = Extract<Step, { frames: unknown } | { http: unknown }>;

/** Bytes as they are, on standard input or to the HTTP server. */
export async function raw(run: Run, step: RawStep): Promise<void> {
  const { world, map } = run;
  run.calls += 1;
  if ('frames' in step) {
    const lines = step.frames.map((line) => Buffer.concat([bytesOf(inWorld(line, run) as string), Buffer.from('\n')]));
    const all = function* () {
      for (let round = 0; round < step.repeat; round++) yield* lines;
    };
    const { text, code } = await frames(map, world, all());
    run.answers.push(text);
    if (!text.includes('"last"')) run.problems.push('the server did not answer after the frames');
    if (code !== 0) run.problems.push(`the server ended with ${code}`);
    if (step.says !== undefined && !new RegExp(step.says).test(text))
      run.problems.push(`nothing says ${step.says}: ${text.slice(-300)}`);
    return;
  }
  const { http } = run.connection;
  if (!http) throw new Error(`${run.attack.id}: an http step needs transports: [http]`);
  const { method, path, headers, body, token } = inWorld(step.http, run) as (typeof step)['http'];
  const { hostname, port } = new URL(http.url);
  const answer = await new Promise<{ code: number; text: string }>((done) => {
    const sent = request(
      {
        host: hostname,
        port,
        method,
        path,
        headers: {
          Accept: 'application/json, text/event-stream',
          ...(body === '' ? {} : { 'Content-Type': 'application/json' }),
          ...(token ? { Authorization: `Bearer ${http.token}` } : {}),
          ...headers,
        },
      },
      (response) => {
        const heard = (rest: string) =>
          done({ code: response.statusCode ?? 0, text: JSON.stringify(response.headers) + rest });
        response.setEncoding('utf8');
        let said = '';
        response.on('data', (chunk: string) => (said += chunk));
        response.on('close', () => heard(said));
      },
    );
    sent.on('error', (error) => done({ code: 0, text: String(error) }));
    sent.end(body === '' ? undefined : bytesOf(body));
  });
  run.answers.push(answer.text);
  if (step.status && !step.status.includes(answer.code))
    run.problems.push(`HTTP ${answer.code} instead of ${step.status.join(' or ')}: ${answer.text.slice(0, 300)}`);
  if (step.says !== undefined && !new RegExp(step.says).test(answer.text))
    run.problems.push(`it does not say ${step.says}: ${answer.text.slice(0, 300)}`);
}

/** `hex:…` in bytes, anything else as UTF-8; `(N)×TEXT` repeats. */
function bytesOf(line: string): Buffer {
  if (line.startsWith('hex:')) return Buffer.from(line.slice(4).replaceAll(' ', ''), 'hex');
  const text = line.replace(/\((\d+)\)×\[([^\]]*)\]/g, (_whole, times: string, part: string) =>
    part.repeat(Number(times)),
  );
  return Buffer.from(text);
}
