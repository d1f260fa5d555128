import { describe, expect, test } from 'vitest';

import { refuseSecretArguments } from '../../../src/adapters/docker/arguments.ts';
import { readDockerfile } from '../../../src/adapters/docker/dockerfile.ts';
import { checkedTag } from '../../../src/adapters/docker/references.ts';

describe('readDockerfile', () => {
  test('D1 finds base images through arguments and stages', () => {
    const text = `# syntax=docker/dockerfile:1
ARG BASE=python
ARG VERSION="3.12"
FROM --platform=linux/amd64 \${BASE}:\${VERSION:-3.11} AS build
FROM build AS test
COPY --from=build /a /b
COPY --from=0 /a /b
COPY --from=busybox:1 /bin/sh /sh
FROM scratch
FROM $UNKNOWN
`;
    expect(readDockerfile(text, {}).images).toEqual(['python:3.12', 'busybox:1']);
    expect(readDockerfile(text, { BASE: 'pypy', OTHER: 'x' }).images).toEqual(['pypy:3.12', 'busybox:1']);
  });

  test('D1 finds what is copied, over continued lines and comments, not in here-documents', () => {
    const text = `FROM scratch
COPY --chown=1:1 a b \\
# a comment in between
  c /dest/
ADD ["with space", "/x"]
ADD https://example.org/x /x
RUN <<EOF
COPY not this
EOF
copy .env $TARGET /y
`;
    expect(readDockerfile(text, {}).copies).toEqual([
      { line: 2, source: 'a' },
      { line: 2, source: 'b' },
      { line: 2, source: 'c' },
      { line: 5, source: 'with space' },
      { line: 10, source: '.env' },
    ]);
  });

  test.each(['', 'FROM', 'COPY', 'FROM \\', 'ADD [', '\\\n\\\n', 'RUN <<EOF\nnever ends'])(
    'takes %j without complaint',
    (text) => {
      expect(() => readDockerfile(text, {})).not.toThrow();
    },
  );
});

describe('build arguments', () => {
  test.each(['BUILDKIT_SYNTAX', 'buildkit_inline_cache'])('C3 refuses %s, which changes the builder', (name) => {
    expect(() => refuseSecretArguments({ [name]: 'example.org/frontend' })).toThrow(
      expect.objectContaining({ code: 'denied', rule: 'build-args' }),
    );
  });

  test.each<[name: string, value: string]>([
    ['GITHUB_TOKEN', 'x'],
    ['npm_token', 'x'],
    ['DB_PASSWORD', 'x'],
    ['API_KEY', 'x'],
    ['SIGNING_KEY', 'x'],
    ['aws_secret_access_key', 'x'],
    ['EXTRA', `ghp_${'a1B2'.repeat(9)}`],
    ['EXTRA', 'AKIAIOSFODNN7EXAMPLE'],
    ['EXTRA', 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc'],
    ['EXTRA', '-----BEGIN PRIVATE KEY-----'],
    ['INDEX', 'https://user:pw@pypi.example.org/simple'],
    ['EXTRA', 'wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY'],
  ])('C3 refuses %s, never with its value in the error', (name, value) => {
    expect(() => refuseSecretArguments({ [name]: value })).toThrow(
      expect.objectContaining({ code: 'denied', hint: expect.stringContaining('when it starts') }),
    );
    try {
      refuseSecretArguments({ [name]: value });
    } catch (error) {
      if (value.length > 8) expect(`${String(error)}${JSON.stringify(error)}`).not.toContain(value);
    }
  });

  test.each<[name: string, value: string]>([
    ['VERSION', '1.2.0'],
    ['GIT_SHA', '0123456789abcdef0123456789abcdef01234567'],
    ['BASE', 'registry.example.org/team/base@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08'],
    ['HTTP_PROXY', 'http://proxy.example.org:3128'],
    ['NODE_ENV', 'production'],
  ])('takes %s=%s', (name, value) => {
    expect(() => refuseSecretArguments({ [name]: value })).not.toThrow();
  });

  test.each([{ '--flag': 'x' }, { 'A B': 'x' }, { A: 'x'.repeat(5000) }])('refuses what is no argument', (args) => {
    expect(() => refuseSecretArguments(args as Record<string, string>)).toThrow(
      expect.objectContaining({ code: 'invalid_input' }),
    );
  });
});

describe('checkedTag', () => {
  test.each([
    ['api', 'api:latest'],
    ['api:1.2.0', 'api:1.2.0'],
    ['localhost:5000/team/api:1', 'localhost:5000/team/api:1'],
    ['localhost:5000/api', 'localhost:5000/api:latest'],
    ['ghcr.io/o/a_b-c.d:x', 'ghcr.io/o/a_b-c.d:x'],
  ])('%s is %s', (written, full) => expect(checkedTag(written)).toBe(full));

  test.each([
    '',
    'API:1',
    'a b',
    '-x',
    'a:',
    'a:b:c',
    'a//b',
    '/a',
    'a/../b',
    'a@sha256:00',
    'a;rm',
    'a\n',
    `a${'b'.repeat(300)}`,
  ])('refuses %j', (written) => {
    expect(() => checkedTag(written)).toThrow(expect.objectContaining({ code: 'invalid_input' }));
  });
});
