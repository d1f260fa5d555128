import { rmSync } from 'node:fs';
import { join } from 'node:path';

import { HoldpointError } from '../core/errors.ts';
import type { Json, JsonObject } from '../core/json.ts';
import { createPrivateFile, privateDirectory, replacePrivateFile } from '../store/directory.ts';
import { checkedIdentity, checkName, type Identity } from './approver-names.ts';
import { checkKey, isProtected, readApprovers, type PublicApprover, type StoredApprover } from './approver-file.ts';
import { decisionBytes } from './digest.ts';
import { isBreakGlass, type ApproverKey, type OwnKey } from './keys.ts';
import { makeOwnKey, signWith } from './own-key.ts';
import type { SignedDecision, UnsignedDecision } from './request.ts';

export type Approver = Readonly<PublicApprover> & {
  /** Whether every private half that lies in the keys directory needs a passphrase. */
  readonly protected: boolean;
};

interface NewApprover extends Partial<Omit<Identity, 'person'>> {
  name: string;
  person: string;
  /** Empty or undefined for a private half that whoever can read the file can use. */
  passphrase?: string | undefined;
  /** Milliseconds since 1970. */
  at: number;
  /** A key from elsewhere in place of a new key pair. */
  key?: ApproverKey;
  /** Whether the new key pair is for break-glass alone. */
  breakGlass?: boolean;
}

/** A decision to be signed with an own key: which one, the registry knows. */
export type Decision = Omit<UnsignedDecision, 'key' | 'ticked'> & { ticked?: string[] };

/** The registry in the keys directory: one JSON file per approver. Nothing of it is in the store. */
export interface Approvers {
  /** Read anew each time: somebody removed no longer counts from then on. */
  list(): Approver[];
  /** @throws HoldpointError `conflict` for a name or a key that is taken, `invalid_input` for one that cannot be used. */
  add(approver: NewApprover): Approver;
  /** Sets what is given and leaves the rest. @throws HoldpointError `not_found`, `invalid_input`. */
  set(name: string, changes: Partial<Identity>): Approver;
  /** @throws HoldpointError `not_found`. */
  remove(name: string): Approver;
  /** Adds a key whose private half is elsewhere. @throws HoldpointError `not_found`, `conflict`, `invalid_input`. */
  addKey(name: string, key: ApproverKey): Approver;
  /** Makes a further key pair. @throws HoldpointError `not_found`. */
  addOwnKey(name: string, made: Pick<NewApprover, 'passphrase' | 'at' | 'breakGlass'>): Approver;
  /** Takes the key away whose fingerprint this is. @throws HoldpointError `not_found`. */
  removeKey(name: string, fingerprint: string): Approver;
  /** Whether the private half that lies here needs a passphrase; undefined where none lies here. @throws HoldpointError `not_found`. */
  isLocked(name: string, breakGlass?: boolean): boolean | undefined;
  /**
   * Signs with the approver's own key, or with their own break-glass key where the decision breaks the glass.
   *
   * @throws HoldpointError `not_found`, or `denied` for a wrong passphrase.
   */
  sign(decision: Decision, passphrase?: string): SignedDecision;
}

export function openApprovers(keysDir: string): Approvers {
  const folder = join(keysDir, 'approvers');
  const fileOf = (name: string) => join(folder, `${name}.json`);

  const entries = (): StoredApprover[] => {
    privateDirectory(keysDir);
    return readApprovers(folder);
  };

  const find = (name: string): StoredApprover => {
    const found = entries().find((entry) => entry.name === name);
    if (found) return found;
    throw new HoldpointError('not_found', `There is no approver "${name.slice(0, 64)}".`, {
      hint: 'See `holdpoint approver list`; add one with `holdpoint approver add NAME`.',
    });
  };

  const replace = (entry: StoredApprover): Approver => {
    replacePrivateFile(fileOf(entry.name), fileText(entry));
    return publicHalf(entry);
  };

  const refuseTakenKey = ({ fingerprint }: ApproverKey) => {
    const owner = entries().find(({ keys }) => keys.some((key) => key.fingerprint === fingerprint));
    if (owner)
      throw new HoldpointError('conflict', `This key is one of "${owner.name}" already.`, {
        hint: 'One key belongs to one approver; give another one.',
      });
  };

  return {
    list: () => entries().map(publicHalf),

    add({ name, person, also = [], groups = [], roles = [], passphrase, at, key, breakGlass = false }) {
      checkName(name);
      // Two names that differ in case alone would be one file on some systems, and one person to most readers.
      if (entries().some((entry) => entry.name.toLowerCase() === name.toLowerCase())) throw taken(name);
      const addedAt = new Date(at).toISOString();
      const made = key ? { key } : makeOwnKey(passphrase, addedAt, breakGlass);
      checkKey(made.key);
      refuseTakenKey(made.key);
      const entry: StoredApprover = {
        name,
        ...checkedIdentity({ person, also, groups, roles }),
        addedAt,
        keys: [made.key],
        private: 'half' in made ? { [made.key.fingerprint]: made.half } : {},
      };
      if (!createPrivateFile(fileOf(name), fileText(entry))) throw taken(name);
      return publicHalf(entry);
    },

    set(name, changes) {
      const { person, also, groups, roles, ...rest } = find(name);
      return replace({ ...rest, ...checkedIdentity({ person, also, groups, roles, ...changes }) });
    },

    remove(name) {
      const entry = find(name);
      rmSync(fileOf(name));
      return publicHalf(entry);
    },

    addKey(name, key) {
      const entry = find(name);
      checkKey(key);
      refuseTakenKey(key);
      return replace({ ...entry, keys: [...entry.keys, key] });
    },

    addOwnKey(name, { passphrase, at, breakGlass = false }) {
      const entry = find(name);
      const { key, half } = makeOwnKey(passphrase, new Date(at).toISOString(), breakGlass);
      if (ownKey(entry, breakGlass))
        throw new HoldpointError(
          'conflict',
          `"${name}" has ${breakGlass ? 'a break-glass' : 'an own'} key here already.`,
          {
            hint: 'Remove it first: `holdpoint approver key remove NAME FINGERPRINT`.',
          },
        );
      return replace({
        ...entry,
        keys: [...entry.keys, key],
        private: { ...entry.private, [key.fingerprint]: half },
      });
    },

    removeKey(name, fingerprint) {
      const entry = find(name);
      const { [fingerprint]: _gone, ...halves } = entry.private;
      const keys = entry.keys.filter((key) => key.fingerprint !== fingerprint);
      if (keys.length === entry.keys.length)
        throw new HoldpointError('not_found', `"${name}" has no key ${fingerprint.slice(0, 80)}.`, {
          hint: 'See `holdpoint approver list --json` for whole fingerprints.',
        });
      return replace({ ...entry, keys, private: halves });
    },

    isLocked(name, breakGlass = false) {
      const entry = find(name);
      const half = entry.private[ownKey(entry, breakGlass)?.fingerprint ?? ''];
      return half && half.salt !== undefined;
    },

    sign({ ticked = [], ...decision }, passphrase) {
      const entry = find(decision.approver);
      const key = ownKey(entry, decision.breakGlass === true);
      const half = key && entry.private[key.fingerprint];
      if (!key || !half)
        throw new HoldpointError(
          'not_found',
          `"${entry.name}" has no ${decision.breakGlass ? 'break-glass ' : ''}key here to sign with.`,
          {
            hint: 'Sign with the SSH key (--ssh) or the passkey that is enrolled, or make a key: `holdpoint approver key add NAME`.',
          },
        );
      const unsigned: UnsignedDecision = { ...decision, ticked, key: key.fingerprint };
      try {
        return { ...unsigned, signature: signWith(half, passphrase, decisionBytes(unsigned)) };
      } catch (cause) {
        throw new HoldpointError('denied', `The key of "${entry.name}" does not open.`, {
          hint: half.salt
            ? 'Give the passphrase that was chosen when the key was made.'
            : `The file ${fileOf(entry.name)} is damaged.`,
          cause,
        });
      }
    },
  };
}

/** The pair that lies here, for emergencies or for every day. */
function ownKey({ keys, private: halves }: StoredApprover, breakGlass: boolean): OwnKey | undefined {
  return keys.find(
    (key): key is OwnKey =>
      key.kind === 'own' && Object.hasOwn(halves, key.fingerprint) && isBreakGlass(key) === breakGlass,
  );
}

/**
 * The approver as they are registered now, for the log: whoever reads it later can verify what they signed.
 *
 * @param fingerprint of the one key to name; else all
 */
export function approverRecord({ protected: _protected, ...approver }: Approver, fingerprint?: string): JsonObject {
  const keys = approver.keys.filter((key) => fingerprint === undefined || key.fingerprint === fingerprint);
  return { ...approver, keys: keys as unknown as Json[] };
}

function publicHalf(entry: StoredApprover): Approver {
  const { private: _halves, ...known } = entry;
  return { ...known, protected: isProtected(entry) };
}

function fileText(entry: StoredApprover): string {
  return `${JSON.stringify(entry, null, 2)}\n`;
}

function taken(name: string): HoldpointError {
  return new HoldpointError('conflict', `There is an approver "${name}" already.`, {
    hint: `Choose another name, or remove the old key with \`holdpoint approver remove ${name}\`: what it approved and has not run yet then counts no more.`,
  });
}
