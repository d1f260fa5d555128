import { basename, relative, resolve } from 'node:path';
import type { Command } from 'commander';

import type { Flags } from '../config/config.ts';
import { HoldpointError } from '../core/errors.ts';
import { locateDocument } from '../personas/documents/locate.ts';
import type { Imported } from '../personas/hypertool-import.ts';
import { act, jsonOption, print, sharedOptions } from './command.ts';
import { importing } from './persona-document.ts';
import { plainLine } from './plain.ts';

interface ImportFlags extends Flags {
  out?: string;
  force?: boolean;
  json?: boolean;
}

interface Wanted {
  out: string | undefined;
  force: boolean;
  json: boolean | undefined;
}

/** `holdpoint persona import`. */
export function register(persona: Command): void {
  jsonOption(sharedOptions(persona.command('import')))
    .description(
      "make a persona's folder from a document or a folder of hypertool's, and say what was understood of it",
    )
    .argument(
      '<file>',
      'Markdown with or without front matter, or JSON; file.json#name for one agent of several; a folder of hypertool’s',
    )
    .option('--out <dir>', "the folder to write (the persona's name)")
    .option('--force', 'replace a persona that is there')
    .action((file: string, flags: ImportFlags) => act(flags, () => importPersona(file, flags)));
}

async function importPersona(named: string, { out, force = false, json }: ImportFlags): Promise<void> {
  const located = locateDocument(named);
  if (located === undefined) {
    const { hypertoolFolder } = await import('../personas/hypertool-read.ts');
    const read = await hypertoolFolder(resolve(named));
    if (read === undefined) throw noDocument(named);
    return importFolder(read, { out, force, json });
  }
  const [{ readDocument }, { writeFolder }, { reportText, reportSummary }] = await Promise.all([
    import('../personas/documents/import.ts'),
    import('../personas/documents/write.ts'),
    import('../personas/documents/report.ts'),
  ]);
  const { name, files, report } = await readDocument(located, await importing());
  const folder = resolve(out ?? name);
  await writeFolder(folder, files, { force });
  print(
    { folder, ...report },
    () =>
      [...reportText(report).split('\n').map(plainLine), `${reportSummary(report)}.`, ...written(folder)].join('\n'),
    json,
  );
}

/** A folder of hypertool's: it says which tools there are; what they may do is a shipped policy's to say. */
async function importFolder({ persona, unknown }: Imported, { out, force, json }: Wanted): Promise<void> {
  const [{ writeFolder }, { stringify }] = await Promise.all([
    import('../personas/documents/write.ts'),
    import('yaml'),
  ]);
  const { instructions, policyFile, folder: _read, workflow: _beside, ...said } = persona;
  const policy = basename(policyFile, '.yaml');
  const report = {
    name: said.name,
    policy,
    tools: said.tools,
    unknownTools: unknown.tools,
    unknownKeys: unknown.keys,
  };
  const lines = [
    `${said.name}: ${said.tools.length} tools, with the policy ${policy}.`,
    ...unknown.tools.map((id) => `Without effect: there is no tool ${id} here.`),
    ...unknown.keys.map((key) => `Without effect: the key ${key} means nothing here.`),
  ].map(plainLine);
  const folder = resolve(out ?? said.name);
  await writeFolder(
    folder,
    {
      'persona.yaml': stringify({ ...said, policy }),
      'instructions.md': `${instructions}\n`,
      'report.md': `${lines.join('\n')}\n`,
    },
    { force },
  );
  print({ folder, ...report }, () => [...lines, ...written(folder)].join('\n'), json);
}

function written(folder: string): string[] {
  const below = relative('', folder);
  const shown = below.startsWith('..') ? folder : `./${below}`;
  return [
    `Written to ${shown}. Serve it: holdpoint serve --persona ${shown}; check it: holdpoint persona check ${shown}`,
  ];
}

function noDocument(named: string): HoldpointError {
  return new HoldpointError('invalid_input', `${named} is no persona document.`, {
    hint: 'Give a file that ends in .md, .markdown, .mdc, .txt or .json, or a folder of hypertool’s.',
  });
}
