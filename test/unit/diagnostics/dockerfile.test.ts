import { describe, expect, test } from 'vitest';

import { edited, findingsOf, ids, SHA, testRules } from './rule-cases.ts';
import type { Edit, RuleCase } from './rule-cases.ts';

const CLEAN = `# syntax=docker/dockerfile:1
FROM python:3.12-slim@sha256:${SHA}
WORKDIR /app
COPY requirements.txt ./
RUN pip install --no-cache-dir -r requirements.txt
COPY src/ ./src/
USER 10001
EXPOSE 8000
HEALTHCHECK CMD ["python", "-c", "print(1)"]
CMD ["python", "-m", "src.main"]
`;
const BASE = `FROM python:3.12-slim@sha256:${SHA}`;
const WORKDIR = 'WORKDIR /app';
/** More lines after WORKDIR. */
const more = (lines: string): Edit => [WORKDIR, `${WORKDIR}\n${lines}`];

const CASES: readonly RuleCase[] = [
  {
    rule: 'unpinned-base',
    bad: [BASE, 'FROM tools/python-slim'],
    good: [BASE, `FROM debian:12-slim@sha256:${SHA}`],
    at: 'FROM',
  },
  { rule: 'unpinned-base', bad: [BASE, 'FROM myslim:latest'], good: [BASE, 'ARG X\nFROM $X'], at: 'FROM' },
  {
    rule: 'unpinned-base',
    bad: [BASE, 'ARG X=a-slim\nFROM ${X}'],
    good: [BASE, `ARG X=a@sha256:${SHA}\nFROM $X`],
    at: 'FROM',
  },
  {
    rule: 'base-without-digest',
    bad: [BASE, 'FROM host:5000/python:3.12-slim'],
    good: [BASE, 'FROM scratch'],
    at: 'FROM',
  },
  {
    rule: 'unpinned-copy-from',
    bad: more('COPY --from=ghcr.io/astral-sh/uv:latest /uv /bin/uv'),
    good: more('COPY --from=ghcr.io/astral-sh/uv:0.8.2 /uv /bin/uv'),
    at: '--from',
  },
  {
    rule: 'unpinned-copy-from',
    bad: more('RUN --mount=type=bind,from=tools,target=/t /t/run'),
    good: more('RUN --mount=type=cache,target=/t /t/run'),
    at: '--mount',
  },
  {
    rule: 'large-base',
    bad: [BASE, `FROM node:24@sha256:${SHA}`],
    good: [BASE, `FROM node:24-alpine@sha256:${SHA}`],
    at: 'FROM',
  },
  { rule: 'root-user', bad: ['USER 10001', 'USER root'], good: ['USER 10001', 'USER root\nUSER app'], at: 'USER' },
  { rule: 'root-user', bad: ['USER 10001', 'USER 0:0'], good: ['USER 10001', 'USER 10001:0'], at: 'USER' },
  {
    rule: 'root-user',
    bad: ['USER 10001\n', ''],
    good: [`${BASE}\n${WORKDIR}`, `FROM a/b:1-nonroot@sha256:${SHA}\n${WORKDIR}`],
    at: 'FROM',
  },
  {
    rule: 'no-healthcheck',
    bad: ['HEALTHCHECK CMD ["python", "-c", "print(1)"]', ''],
    good: ['HEALTHCHECK CMD ["python", "-c", "print(1)"]', 'HEALTHCHECK NONE'],
    at: 'FROM',
  },
  {
    rule: 'shell-form',
    bad: ['CMD ["python", "-m", "src.main"]', 'CMD python main.py'],
    good: ['CMD ["python", "-m", "src.main"]', 'CMD exec python main.py'],
    at: 'CMD python',
  },
  {
    rule: 'shell-form',
    bad: ['CMD ["python", "-m", "src.main"]', "ENTRYPOINT ['python']"],
    good: ['CMD ["python", "-m", "src.main"]', 'ENTRYPOINT ["python"]'],
    at: 'ENTRYPOINT',
  },
  { rule: 'ssh-port', bad: ['EXPOSE 8000', 'EXPOSE 8000 22/tcp'], good: ['EXPOSE 8000', 'EXPOSE 2222'], at: 'EXPOSE' },
  {
    rule: 'secret-in-image',
    bad: more('ENV DB_PASSWORD=planted-value'),
    good: more('ENV DB_PASSWORD_FILE=/run/secrets/db'),
    at: 'ENV',
  },
  {
    rule: 'secret-in-image',
    bad: more('ENV A=1 \\\n    API_TOKEN="planted value"'),
    good: more('ENV A=1 TOKEN_TTL="60"'),
    at: 'API_TOKEN',
  },
  {
    rule: 'secret-in-image',
    bad: more('ENV API_TOKEN planted value'),
    good: more('ENV API_TOKEN changeme'),
    at: 'ENV',
  },
  {
    rule: 'secret-in-image',
    bad: more('ARG NPM_TOKEN=planted-value'),
    good: more('ARG NPM_CONFIG=planted-value'),
    at: 'ARG',
  },
  {
    rule: 'secret-in-image',
    bad: more('RUN true && \\\n    pip download --index-url https://user:planted@pypi.example.org/'),
    good: more('RUN true && \\\n    pip download --index-url https://user:${PASS}@pypi.example.org/'),
    at: 'https://',
  },
  { rule: 'secret-build-arg', bad: more('ARG GITHUB_TOKEN'), good: more('ARG GITHUB_SHA'), at: 'ARG' },
  { rule: 'secret-file-copied', bad: more('COPY .env.production ./'), good: more('COPY .env.example ./'), at: '.env' },
  {
    rule: 'secret-file-copied',
    bad: more('COPY ["keys/id_rsa", "/root/.ssh/"]'),
    good: more('COPY keys/id_rsa.pub /k'),
    at: 'id_rsa',
  },
  {
    rule: 'secret-file-copied',
    bad: more('COPY tls/server.pem /tls/'),
    good: more('COPY tls/ca.pem /tls/'),
    at: '.pem',
  },
  {
    rule: 'add-remote',
    bad: more('ADD https://example.org/tool.tgz /opt/'),
    good: more(`ADD --checksum=sha256:${SHA} https://example.org/tool.tgz /opt/`),
    at: 'ADD',
  },
  { rule: 'add-instead-of-copy', bad: more('ADD config.ini /etc/'), good: more('ADD rootfs.tar.gz /'), at: 'ADD' },
  {
    rule: 'copy-before-install',
    bad: ['COPY requirements.txt ./', 'COPY . .'],
    good: ['COPY src/ ./src/', 'COPY . .'],
    at: 'COPY . .',
  },
  {
    rule: 'copy-before-install',
    bad: more('COPY ./ /app\nRUN cd /app && npm ci'),
    good: ['COPY src/ ./src/', 'COPY package*.json ./\nRUN npm ci\nCOPY . .\nRUN npm test'],
    at: 'COPY ./ /app',
  },
  { rule: 'single-stage', bad: more('RUN npm run build'), good: more('RUN npm run start-check'), at: 'npm run build' },
  {
    rule: 'single-stage',
    bad: more('RUN apk add --no-cache \\\n  curl \\\n  build-base'),
    good: [BASE, `${BASE} AS builder\nRUN apk add build-base && make\n${BASE}`],
    at: 'apk add',
  },
  {
    rule: 'apt-recommends',
    bad: more('RUN apt-get update && apt-get install -y curl && rm -rf /var/lib/apt/lists/*'),
    good: more('RUN apt-get update && apt-get install -y --no-install-recommends curl && rm -rf /var/lib/apt/lists/*'),
    at: 'apt-get',
  },
  {
    rule: 'apt-lists',
    bad: more('RUN apt-get update && \\\n  apt-get install -y --no-install-recommends curl'),
    good: more(
      'RUN --mount=type=cache,target=/var/lib/apt apt-get update && apt-get install -y --no-install-recommends curl',
    ),
    at: 'install -y',
  },
  {
    rule: 'apt-update-alone',
    bad: more('RUN apt-get update'),
    good: more('RUN echo "apt-get update" # apt-get update'),
    at: 'apt-get',
  },
  {
    rule: 'pip-cache',
    bad: more('RUN python3 -m pip install poetry'),
    good: more('ENV PIP_NO_CACHE_DIR=1\nRUN pip install poetry'),
    at: 'pip',
  },
  { rule: 'npm-install', bad: more('RUN npm install --omit=dev'), good: more('RUN npm install -g npm@11'), at: 'npm' },
  { rule: 'sudo', bad: more('RUN sudo -E chown app /app'), good: more('RUN echo sudo'), at: 'sudo' },
  {
    rule: 'curl-pipe-shell',
    bad: more('RUN set -e; \\\n  curl -fsSL https://x.example/i | tee /log | bash -s --'),
    good: more('RUN curl -fsSL https://x.example/i | tar xz'),
    at: 'curl',
  },
  {
    rule: 'curl-pipe-shell',
    bad: more('RUN bash -c "$(wget -qO- https://x.example/i)"'),
    good: more('RUN curl https://x.example/i | python3 -m json.tool'),
    at: 'bash',
  },
  {
    rule: 'curl-pipe-shell',
    bad: more('RUN <<EOF\nset -e\ncurl https://x.example/i | sh\nEOF'),
    good: more('RUN <<EOF\ncat <<END\ncurl x | sh\nEND\nEOF'),
    at: 'curl',
  },
];

testRules('dockerfile', 'docker/Dockerfile', CLEAN, CASES, ['no-dockerignore']);

describe('Dockerfiles as they are written (C6)', () => {
  test('no .dockerignore: a hint where files are copied, a warning where everything is', () => {
    expect(findingsOf('Dockerfile', CLEAN, false)).toMatchObject([
      { rule: 'no-dockerignore', severity: 'info', line: 4 },
    ]);
    const whole = edited(CLEAN, ['COPY src/ ./src/', 'COPY . .']);
    expect(findingsOf('Dockerfile', whole, false)).toMatchObject([
      { rule: 'no-dockerignore', severity: 'warning', line: 6 },
    ]);
    expect(findingsOf('Dockerfile', 'FROM scratch\nCOPY --from=a:1 /b /b\n', false)).toEqual([]);
  });

  test('the escape directive, comments and empty lines in a continued instruction, CRLF', () => {
    const windows = `# escape=\`\nFROM a:1@sha256:${SHA}\nRUN cd C:\\app\\\nRUN apt-get update && \`\r\n# a comment \`\n\n  curl x | sh\n`;
    expect(ids(findingsOf('Dockerfile', windows))).toEqual(['4 apt-update-alone', '7 curl-pipe-shell']);
    const late = `FROM a:1@sha256:${SHA}\n# escape=\`\nRUN curl x \\\n  | sh\n`;
    expect(ids(findingsOf('Dockerfile', late))).toEqual(['3 curl-pipe-shell']);
  });

  test('here-documents are scripts of RUN, files of COPY, and never instructions', () => {
    const text = [
      `FROM a:1@sha256:${SHA}`,
      'RUN <<A cat > x && <<"B" cat > y',
      'FROM not:an-instruction',
      'A',
      'USER also not one',
      'B',
      'COPY <<-EOF /etc/app.ini',
      '\tADD nothing',
      '\tEOF',
      'RUN bash -c "cat <<< word"',
      'RUN sudo ls',
    ].join('\n');
    expect(ids(findingsOf('Dockerfile', text))).toEqual(['11 sudo']);
    expect(findingsOf('Dockerfile', `FROM a:1@sha256:${SHA}\nRUN <<EOF\nUSER 1\n`)).toMatchObject([
      { rule: 'syntax', line: 2, what: 'has a here-document that never ends' },
    ]);
  });

  test('the final stage inherits user, health check and base from the stage it builds on', () => {
    const stages = edited(CLEAN, ['EXPOSE 8000', 'FROM 0 AS web\nEXPOSE 8000']).replace(BASE, `${BASE} AS base`);
    expect(findingsOf('Dockerfile', stages)).toEqual([]);
  });

  test('what is no Dockerfile is one finding for each place, and no error', () => {
    const says = (text: string) =>
      findingsOf('Dockerfile', text).map(({ line, rule, what }) => `${line} ${rule} ${what}`);
    expect(says('')).toEqual(['1 syntax has no FROM']);
    expect(says(`RUM x\nRUN y\nFROM a@sha256:${SHA}`)).toEqual([
      '1 syntax begins with a word that is no instruction',
      '2 syntax has RUN before the first FROM',
    ]);
  });
});
