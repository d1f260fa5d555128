import { augment } from './augment.ts';
import { claudeCode } from './claude-code.ts';
import { claudeDesktop } from './claude-desktop.ts';
import { CLIENT_NAMES, type Client, type ClientName } from './client.ts';
import { cursor } from './cursor.ts';
import { hypertool } from './hypertool.ts';
import { vscode } from './vscode.ts';

const BY_NAME: Readonly<Record<ClientName, Client>> = {
  'claude-code': claudeCode,
  'claude-desktop': claudeDesktop,
  cursor,
  augment,
  vscode,
  hypertool,
};

export const CLIENTS: readonly Client[] = CLIENT_NAMES.map((name) => BY_NAME[name]);

export function clientNamed(name: ClientName): Client {
  return BY_NAME[name];
}
