import { relative, resolve } from 'node:path';
import type { Command } from 'commander';

import type { Flags } from '../config/config.ts';
import { HoldpointError } from '../core/errors.ts';
import { isHypertoolFolder, locateDocument } from '../personas/documents/locate.ts';
import { act, jsonOption, print, sharedOptions } from './command.ts';
import { importing } from './persona-document.ts';
import { plainLine } from './plain.ts';

interface ImportFlags extends Flags {
  out?: string;
  force?: boolean;
  json?: boolean;
}

/** `holdpoint persona import`. */
export function register(persona: Command): void {
  jsonOption(sharedOptions(persona.command('import')))
    .description("make a persona's folder from a document, and say what was understood of it")
    .argument('<file>', 'Markdown with or without front matter, or JSON; file.json#name for one agent of several')
    .option('--out <dir>', "the folder to write (the persona's name)")
    .option('--force', 'replace a persona that is there')
    .action((file: string, flags: ImportFlags) => act(flags, () => importPersona(file, flags)));
}

async function importPersona(named: string, { out, force = false, json }: ImportFlags): Promise<void> {
  const located = locateDocument(named);
  if (located === undefined) throw noDocument(named);
  const [{ readDocument }, { writeFolder }, { reportText, reportSummary }] = await Promise.all([
    import('../personas/documents/import.ts'),
    import('../personas/documents/write.ts'),
    import('../personas/documents/report.ts'),
  ]);
  const { name, files, report } = await readDocument(located, await importing());
  const folder = resolve(out ?? name);
  await writeFolder(folder, files, { force });
  const below = relative('', folder);
  const shown = below.startsWith('..') ? folder : `./${below}`;
  print(
    { folder, ...report },
    () =>
      [
        ...reportText(report).split('\n').map(plainLine),
        `${reportSummary(report)}.`,
        `Written to ${shown}. Serve it: holdpoint serve --persona ${shown}; check it: holdpoint policy lint ${shown}/policy.yaml`,
      ].join('\n'),
    json,
  );
}

function noDocument(named: string): HoldpointError {
  if (isHypertoolFolder(named))
    return new HoldpointError('invalid_input', `${named} is a folder of hypertool's, which is not read here.`, {
      hint: 'Import the document that it was made from.',
    });
  return new HoldpointError('invalid_input', `${named} is no persona document.`, {
    hint: 'Give a file that ends in .md, .markdown, .mdc, .txt or .json.',
  });
}
