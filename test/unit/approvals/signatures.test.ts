import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { decisionBytes } from '../../../src/approvals/digest.ts';
import { signatureFault, type SshKey } from '../../../src/approvals/keys.ts';
import type { UnsignedDecision } from '../../../src/approvals/request.ts';
import { parsePublicLine } from '../../../src/approvals/ssh-key.ts';
import { softPasskey } from './passkeys.ts';
import { softSshKey, type Circumstances } from './ssh-keys.ts';

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'holdpoint-signatures-'));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const DECISION = {
  id: 'apr_1',
  digest: 'sha256:1',
  decision: 'approve',
  approver: 'alice',
  at: 1,
  reason: 'agreed',
  ticked: ['release/backup'],
} satisfies Omit<UnsignedDecision, 'key'>;

function sshKeyOf(publicLine: string): SshKey {
  const { fingerprint, line } = parsePublicLine(publicLine);
  return { kind: 'ssh', fingerprint, publicKey: line, addedAt: '1970-01-01T00:00:00.000Z' };
}

/** ssh-keygen itself, without an agent. */
function keygen(...args: string[]): string {
  return execFileSync('ssh-keygen', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

function bySshKeygen(name: string, namespace = 'holdpoint') {
  const key = sshKeyOf(readFileSync(join(root, `${name}.pub`), 'utf8'));
  const unsigned = { ...DECISION, key: key.fingerprint };
  writeFileSync(join(root, 'message'), decisionBytes(unsigned));
  rmSync(join(root, 'message.sig'), { force: true });
  keygen('-Y', 'sign', '-n', namespace, '-f', name, 'message');
  return { key, decision: { ...unsigned, signature: readFileSync(join(root, 'message.sig'), 'utf8') } };
}

describe('I6 SSH signatures by ssh-keygen', () => {
  const kinds: [string, ...string[]][] = [
    ['ed25519', '-t', 'ed25519'],
    ['ecdsa-256', '-t', 'ecdsa', '-b', '256'],
    ['ecdsa-384', '-t', 'ecdsa', '-b', '384'],
    ['ecdsa-521', '-t', 'ecdsa', '-b', '521'],
    ['rsa', '-t', 'rsa', '-b', '2048'],
  ];

  test.each(kinds)('%s verifies, and no field can be changed', (name, ...how) => {
    keygen(...how, '-N', '', '-C', 'a comment here', '-f', name);
    const { key, decision } = bySshKeygen(name);
    expect(keygen('-l', '-f', `${name}.pub`)).toContain(` ${key.fingerprint} `);
    expect(signatureFault(decision, key)).toBeUndefined();
    for (const change of [
      { id: 'apr_2' },
      { digest: 'sha256:2' },
      { decision: 'deny' as const },
      { approver: 'bob' },
      { at: 2 },
      { reason: '' },
      { ticked: [] },
    ])
      expect(signatureFault({ ...decision, ...change }, key), JSON.stringify(change)).toMatch(/something else/);
  });

  test('one of another key, for a file, or by an algorithm with SHA-1 does not count', () => {
    keygen('-t', 'ed25519', '-N', '', '-f', 'mine');
    keygen('-t', 'ed25519', '-N', '', '-f', 'other');
    const mine = bySshKeygen('mine');
    expect(signatureFault(mine.decision, { ...bySshKeygen('other').key })).toMatch(/registered key/);
    const forFile = bySshKeygen('mine', 'file');
    expect(signatureFault(forFile.decision, forFile.key)).toBe('its signature is for "file", not for holdpoint');
    keygen('-t', 'rsa', '-b', '1024', '-N', '', '-f', 'small');
    expect(() => sshKeyOf(readFileSync(join(root, 'small.pub'), 'utf8'))).toThrow(/1024 bits; 2048/);
  });

  test('not one byte of a signature can be changed unseen', () => {
    keygen('-t', 'ed25519', '-N', '', '-f', 'bytes');
    const { key, decision } = bySshKeygen('bytes');
    const [head, ...rest] = decision.signature.trim().split('\n');
    const tail = rest.pop();
    const bytes = Buffer.from(rest.join(''), 'base64');
    for (let at = 0; at < bytes.length; at += 1) {
      const changed = Buffer.from(bytes);
      changed[at]! ^= 0x04;
      const signature = `${head}\n${changed.toString('base64')}\n${tail}\n`;
      expect(signatureFault({ ...decision, signature }, key), `byte ${at}`).toBeTypeOf('string');
    }
  });
});

describe('I6 security keys', () => {
  test.each(['sk-ssh-ed25519@openssh.com', 'sk-ecdsa-sha2-nistp256@openssh.com', 'ssh-ed25519'] as const)(
    '%s: what was touched verifies',
    (type) => {
      const soft = softSshKey(type);
      const key = sshKeyOf(soft.line);
      const unsigned = { ...DECISION, key: key.fingerprint };
      const signed = (circumstances: Circumstances = {}) => ({
        ...unsigned,
        signature: soft.sign(decisionBytes(unsigned), circumstances),
      });
      // A software signer that ssh-keygen agrees with.
      if (type === 'ssh-ed25519') {
        writeFileSync(join(root, 'allowed'), `alice ${soft.line}\n`);
        writeFileSync(join(root, 'soft.sig'), signed().signature);
        const args = ['-Y', 'verify', '-n', 'holdpoint', '-f', 'allowed', '-I', 'alice', '-s', 'soft.sig'];
        expect(
          execFileSync('ssh-keygen', args, { cwd: root, encoding: 'utf8', input: decisionBytes(unsigned) }),
        ).toContain('Good "holdpoint" signature');
      }
      // Ten, since numbers of an ECDSA signature differ in length.
      for (let round = 0; round < 10; round += 1) expect(signatureFault(signed(), key)).toBeUndefined();
      expect(signatureFault(signed({ namespace: 'git' }), key)).toMatch(/for "git"/);
      expect(signatureFault(signed({ hash: 'sha1' }), key)).toMatch(/sha1 hash/);
      expect(signatureFault(signed({ algorithm: 'ssh-rsa' }), key)).toMatch(/kind ssh-rsa/);
      if (type.startsWith('sk-')) expect(signatureFault(signed({ flags: 4 }), key)).toMatch(/nobody touched/);
      expect(signatureFault({ ...unsigned, signature: '' }, key)).toMatch(/no SSH signature/);
    },
  );

  test('what is no public key is not enrolled', () => {
    const { line } = softSshKey('ssh-ed25519');
    for (const wrong of [
      '',
      'ssh-ed25519',
      'ssh-ed25519 AAAA',
      line.replace('ssh-ed25519', 'ssh-rsa'),
      `command="x" ${line}`,
      line.slice(0, -4),
      `${line}\n${line}`,
      'ssh-dss AAAAB3NzaC1kc3MAAACBAK',
      '-----BEGIN OPENSSH PRIVATE KEY-----\nb3Blbg==\n-----END OPENSSH PRIVATE KEY-----',
    ])
      expect(() => parsePublicLine(wrong), wrong).toThrow(expect.objectContaining({ code: 'invalid_input' }));
  });
});

describe('I6 passkeys', () => {
  test.each(['ES256', 'EdDSA', 'RS256'] as const)(
    '%s: an assertion over the decision verifies, and over nothing else',
    (algorithm) => {
      const soft = softPasskey(algorithm);
      const decision = soft.sign(DECISION);
      expect(signatureFault(decision, soft.key)).toBeUndefined();
      for (const change of [{ reason: 'other' }, { digest: 'sha256:2' }, { ticked: [] }, { at: 2 }])
        expect(signatureFault({ ...decision, ...change }, soft.key)).toMatch(/something else/);
      expect(signatureFault(decision, { ...softPasskey(algorithm).key, credentialId: soft.key.credentialId })).toMatch(
        /not by this approver's passkey/,
      );
    },
  );

  test.each([
    ['a registration', { type: 'webauthn.create' }, /no assertion/],
    ['another page', { origin: 'https://holdpoint.example.evil' }, /signed for https:\/\/holdpoint.example.evil/],
    ['another port', { origin: 'https://holdpoint.example:8443' }, /signed for/],
    ['a frame on another page', { crossOrigin: true }, /signed for/],
    ['another host', { rpId: 'evil.example' }, /not for holdpoint.example/],
    ['nobody there', { flags: 0x04 }, /nobody was present/],
    ['a touch without PIN or finger', { flags: 0x01 }, /did not verify/],
    ['an old challenge', { challenge: 'AAAA' }, /something else/],
    ['another credential', { credentialId: 'AAAA' }, /another passkey/],
    ['another content', { signed: Buffer.from('x') }, /not by this approver's passkey/],
  ] as const)('%s does not count', (_what, circumstances, why) => {
    const soft = softPasskey();
    expect(signatureFault(soft.sign(DECISION, circumstances), soft.key)).toMatch(why);
  });

  test('what is no assertion at all does not count and does not throw', () => {
    const soft = softPasskey();
    const decision = soft.sign(DECISION);
    for (const signature of [
      '',
      'x',
      Buffer.from('null').toString('base64url'),
      Buffer.from('{}').toString('base64url'),
    ])
      expect(signatureFault({ ...decision, signature }, soft.key)).toBe('its signature cannot be read');
  });
});
