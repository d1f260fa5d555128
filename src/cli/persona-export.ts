import { join, resolve } from 'node:path';
import type { Command } from 'commander';

import { runOf } from '../clients/entry.ts';
import type { Config, Flags } from '../config/config.ts';
import { HoldpointError } from '../core/errors.ts';
import { earlierExport, writeExport } from '../personas/hypertool-folder.ts';
import { hypertoolFiles, type ServerRun } from '../personas/hypertool.ts';
import { shippedPersonas } from '../personas/persona.ts';
import { createRedactor, knownSecrets } from '../redact/redact.ts';
import { act, jsonOption, print, sharedOptions } from './command.ts';
import { listed } from './persona-files.ts';

interface ExportFlags extends Flags {
  hypertool: string;
  command?: string;
  json?: boolean;
}

export function registerExport(persona: Command): void {
  jsonOption(sharedOptions(persona.command('export')))
    .description('write a persona for hypertool: a folder with persona.yaml and mcp.json')
    .argument('<persona>', 'a name, folder or file')
    .requiredOption('--hypertool <dir>', 'the folder of personas; its folder in it has the persona’s name')
    .option('--workspace <dir>', 'the folder that the agent works in (where hypertool is started)')
    .option('--command <words>', 'what starts Holdpoint (this Node with this script)')
    .action((named: string, flags: ExportFlags) => act(flags, (config) => exportPersona(named, config, flags)));
}

async function exportPersona(named: string, config: Config, flags: ExportFlags): Promise<void> {
  const { persona, tools } = await listed(named, config);
  const who = shippedPersonas().includes(named) ? named : resolve(named);
  const folder = join(resolve(flags.hypertool), persona.name);
  const earlier = await earlierExport(folder);
  const now = new Date().toISOString();
  const files = hypertoolFiles(persona, {
    tools: tools.map(({ name }) => name),
    run: serving(who, config, flags.command),
    created: earlier?.created ?? now,
    now,
  });
  await refuseSecrets(Object.values(files), config);
  await writeExport(folder, files);
  const done = { persona: persona.name, folder, files: Object.keys(files), replaced: earlier !== undefined };
  print(done, `${earlier ? 'Replaced' : 'Wrote'} ${folder}: ${done.files.join(', ')}.`, flags.json);
}

/** What hypertool starts. Where it may work and where its state is are the operator's paths; tokens are never among it. */
function serving(persona: string, config: Config, written: string | undefined): ServerRun {
  const { command, args } = runOf(config, { script: process.argv[1] ?? '', command: written });
  const { given, workspace, state, keys, file, policy } = config;
  const env = {
    ...(given.workspace && { HOLDPOINT_WORKSPACE: workspace }),
    ...(given.state && { HOLDPOINT_STATE: state, HOLDPOINT_KEYS: keys }),
    ...(file !== undefined && { HOLDPOINT_CONFIG: resolve(file) }),
    ...(policy !== undefined && { HOLDPOINT_POLICY: policy }),
  };
  return { command, args: [...args, '--persona', persona, '--tools', 'all'], env };
}

/** @throws HoldpointError `denied` where a text holds a secret that is known here, or that looks like one. */
async function refuseSecrets(texts: readonly string[], config: Config): Promise<void> {
  const redactor = createRedactor(knownSecrets(config));
  await redactor.ready();
  if (texts.every((text) => redactor.text(text) === text)) return;
  throw new HoldpointError('denied', 'The export would hold a secret; nothing was written.', {
    hint: 'Take it out of the persona’s description or out of --command: the server reads secrets from its own environment.',
  });
}
