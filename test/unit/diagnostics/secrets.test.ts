import { describe, expect, test } from 'vitest';

import { holdsSecret, isLiteral, isSecretFile, isSecretName } from '../../../src/adapters/diagnostics/secrets.ts';

describe('what counts as a secret (C6, C3)', () => {
  test('names', () => {
    const secret = [
      'POSTGRES_PASSWORD',
      'PGPASSWORD',
      'API_KEY',
      'api-key',
      'authToken',
      'AWS_SECRET_ACCESS_KEY',
      'NEO4J_AUTH',
      'db.dsn',
      'TOKEN',
    ];
    expect(secret.filter((name) => !isSecretName(name))).toEqual([]);
    const plain = [
      'DB_PASSWORD_FILE',
      'TOKEN_TTL',
      'MAX_TOKENS',
      'COMPASS',
      'AUTHOR',
      'KEY',
      'PUBLIC_KEY',
      'SECRET_NAME',
      'AWS_REGION',
      '',
    ];
    expect(plain.filter(isSecretName)).toEqual([]);
  });

  test('values: written out, or only referred to', () => {
    const literal = ['hunter2', 'postgres', '${X:-fallback}', 'a b', '0000'];
    expect(literal.filter((value) => !isLiteral(value))).toEqual([]);
    const referred = [
      '',
      ' ',
      '${X}',
      '${X:?}',
      '${X:-}',
      '$X',
      '$(cat f)',
      '${{ secrets.X }}',
      '{{ x }}',
      '/run/secrets/x',
      './x',
      '<password>',
      'CHANGE_ME',
      'changeme',
      'your-token-here',
      'xxxx',
      'true',
      'null',
    ];
    expect(referred.filter(isLiteral)).toEqual([]);
  });

  test('shapes of tokens, keys and addresses with a password, whatever the name', () => {
    const shapes = [
      `ghp_${'a1'.repeat(18)}`,
      `AKIA${'A'.repeat(16)}`,
      ['-----BEGIN RSA', 'PRIVATE KEY-----'].join(' '),
      'postgres://app:pw@db/app',
      'redis://:pw@redis',
    ];
    expect(shapes.filter((text) => !holdsSecret(text))).toEqual([]);
    const none = [
      'postgres://app@db/app',
      'https://app:${PASSWORD}@db',
      'https://app:$PASSWORD@db',
      'http://localhost:8000/a@b',
      'ghp_short',
      '-----BEGIN CERTIFICATE-----',
    ];
    expect(none.filter(holdsSecret)).toEqual([]);
  });

  test('files', () => {
    const secret = [
      '.env',
      'a/.env.production',
      'prod.env',
      'tls/server.key',
      'server.pem',
      '.npmrc',
      'secrets/x',
      '.ssh/config',
      'credentials.json',
      'a.tfstate.backup',
      'Secrets.toml',
      'kubeconfig',
    ];
    expect(secret.filter((path) => !isSecretFile(path))).toEqual([]);
    const plain = [
      '.env.example',
      'id_rsa.pub',
      'ca.pem',
      'fullchain.pem',
      'src/secrets.py',
      'environment.ts',
      'keys.md',
      '.',
    ];
    expect(plain.filter(isSecretFile)).toEqual([]);
  });
});
