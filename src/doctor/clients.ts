import { homedir } from 'node:os';

import { placesOf, type Client, type Places, type Scope } from '../clients/client.ts';
import { CLIENTS } from '../clients/clients.ts';
import { ENTRY } from '../clients/entry.ts';
import { readJson, valueAt } from '../clients/json-text.ts';
import { lockState } from '../clients/plan.ts';
import { readSettings } from '../clients/settings-file.ts';
import type { Check, Finding } from './check.ts';

/** Each client that Holdpoint is connected to, and whether its own tools can go round it. */
export const clients: Check = {
  what: 'clients',
  run({ config }) {
    const places = placesOf(config.environment, config.workspace, { home: homedir() });
    const findings = CLIENTS.flatMap((client) => clientFindings(client, places));
    if (findings.length > 0) return findings;
    return [
      {
        level: 'off',
        what: 'clients',
        detail: 'none of them has Holdpoint in its settings, for this workspace or this user',
        fix: 'holdpoint init --client claude-code (or claude-desktop, cursor, augment, vscode, hypertool)',
      },
    ];
  },
};

function clientFindings(client: Client, places: Places): Finding[] {
  const what = `client ${client.name}`;
  const scopes = (Object.entries(client.files) as [Scope, (places: Places) => string][]).map(([scope, fileOf]) => {
    const file = fileOf(places);
    return { scope, file, connected: isConnected(client, file) };
  });
  const broken = scopes.filter(({ connected }) => connected === undefined);
  const connected = scopes.filter((each) => each.connected === true);
  return [
    ...broken.map(({ file }): Finding => ({
      level: 'warn',
      what,
      detail: `${file} cannot be read as JSON`,
      fix: 'Mend it; the client cannot read it either.',
    })),
    ...(connected.length > 0
      ? [
          lockFinding(
            client,
            connected.map(({ file }) => file),
            places,
          ),
        ]
      : []),
  ];
}

function lockFinding(client: Client, files: readonly string[], places: Places): Finding {
  const what = `client ${client.name}`;
  const there = `connected by ${files.join(' and ')}`;
  const { lockDown } = client;
  if (lockDown.kind === 'none') return { level: 'ok', what, detail: `${there}. ${lockDown.says}` };
  const scopes = Object.keys(client.files) as Scope[];
  const states = scopes.map((scope) => lockState(client, scope, places));
  const state = (['on', 'unknown', 'partly', 'off'] as const).find((each) => states.includes(each)) ?? 'off';
  const fix = `holdpoint init --client ${client.name} --lock-down`;
  if (state === 'unknown')
    return {
      level: 'warn',
      what,
      detail: `${there}; lock-down unknown: its settings cannot be read`,
      fix: 'Mend its settings.',
    };
  if (state !== 'on')
    return {
      level: 'warn',
      what,
      detail: `${there}; lock-down ${state}: its own shell and edit tools go round Holdpoint`,
      fix,
    };
  if (lockDown.kind === 'asks')
    return { level: 'warn', what, detail: `${there}; lock-down on, but it only asks. ${lockDown.says}` };
  return { level: 'ok', what, detail: `${there}; lock-down on` };
}

/** Undefined where the file cannot be understood. */
function isConnected(client: Client, file: string): boolean | undefined {
  try {
    const { text, exists } = readSettings(file);
    return exists && valueAt(readJson(text, file), [client.servers, ENTRY]) !== undefined;
  } catch {
    return undefined;
  }
}
