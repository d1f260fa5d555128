import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { placesOf, type Client, type Places, type Scope } from '../../../src/clients/client.ts';
import { entryOf } from '../../../src/clients/entry.ts';
import { planEntry, planLock } from '../../../src/clients/plan.ts';
import { writeSettings } from '../../../src/clients/settings-file.ts';

/** A person's home and workspace of one test. */
export interface Home {
  places: Places;
  put(file: string, text: string): void;
  text(file: string): string;
  remove(): void;
}

export function newHome(): Home {
  const root = mkdtempSync(join(tmpdir(), 'holdpoint-clients-'));
  const workspace = join(root, 'project');
  mkdirSync(workspace);
  return {
    places: placesOf({ HOME: root }, workspace, { platform: 'linux', home: '/nowhere' }),
    put(file, text) {
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text);
    },
    text: (file) => readFileSync(file, 'utf8'),
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}

const RUN = {
  command: '/opt/node',
  args: ['/opt/holdpoint/main.js', 'serve', '--stdio'],
  env: { HOLDPOINT_WORKSPACE: '/home/ann/project', HOLDPOINT_PERSONA: 'devops' },
};

function firstScope(client: Client): Scope {
  return Object.keys(client.files)[0] as Scope;
}

export function fileOf(client: Client, places: Places, scope = firstScope(client)): string {
  return client.files[scope]?.(places) ?? '';
}

/** What `init` plans for a client, over stdio or HTTP. */
export function planned(client: Client, home: Home, url?: string) {
  return planEntry(client, entryOf(client, RUN, url), fileOf(client, home.places));
}

/** Plans and writes, as `init` does. */
export function connect(client: Client, home: Home, url?: string): void {
  const { settings, text } = planned(client, home, url);
  if (text !== settings.text) writeSettings(settings, text);
}

export function lock(client: Client, home: Home, scope = firstScope(client)): void {
  if (client.lockDown.kind === 'none') return;
  for (const each of client.lockDown.files(scope, home.places)) {
    const { settings, text } = planLock(each);
    if (text !== settings.text) writeSettings(settings, text);
  }
}
