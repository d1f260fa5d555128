import { writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

import { createGit } from '../../../src/adapters/git/client.ts';
import type { PreviewPart } from '../../../src/core/plan.ts';
import { heldBench } from '../bindings/world.ts';
import { git, newFolder, PROGRAMS } from '../processes/kit.ts';
import { newWorkspace } from './workspace.ts';

async function repository() {
  const { dir, files, at } = newWorkspace({ 'kept.txt': 'kept\n', 'changed.txt': 'then\n', '.gitignore': 'new.txt\n' });
  git(dir, 'init', '-q', '-b', 'main');
  git(dir, 'add', '.');
  git(dir, 'commit', '-qm', 'first');
  writeFileSync(at('changed.txt'), 'now\n');
  writeFileSync(at('new.txt'), 'one\ntwo\n');
  const grammar = PROGRAMS['git'];
  if (!grammar) throw new Error('no grammar of git');
  const environment = { PATH: process.env['PATH'] ?? '', HOME: newFolder() };
  const bench = await heldBench({ files, git: createGit({ workspace: dir, environment, grammar }) });
  const parts = async (tool: string, args: object): Promise<PreviewPart[]> => {
    const { envelope } = await bench.call(tool, args);
    return (await bench.services.approvals.find(envelope.approval?.id ?? '')).plan.preview.parts ?? [];
  };
  return { bench, parts, at };
}

const items = (all: PreviewPart[]) => all.flatMap((part) => (part.kind === 'risks' ? part.items : [])).join('\n');
const diffs = (all: PreviewPart[]) => all.flatMap((part) => (part.kind === 'diff' ? [part.text] : [])).join('');
const undo = (all: PreviewPart[]) => all.flatMap((part) => (part.kind === 'undo' ? [part.text] : [])).join('');

describe('I4: what people see of held changes of files', () => {
  test('a deletion: what is lost, how large it is, whether git has it, how to restore it', async () => {
    const { parts } = await repository();
    const all = await parts('remove-files', { paths: ['kept.txt', 'changed.txt', 'new.txt'] });
    expect(all).toContainEqual({
      kind: 'facts',
      title: 'What is lost',
      rows: [
        ['kept.txt', '5 bytes; git has it as it is'],
        ['changed.txt', '4 bytes; git has another version of it, not this one'],
        ['new.txt', '8 bytes; git does not have it'],
      ],
    });
    expect(diffs(all)).toContain('--- a/new.txt\n+++ /dev/null\n@@ -1,2 +0,0 @@\n-one\n-two\n');
    expect(items(all)).toContain("only Holdpoint's own copy is left of changed.txt, new.txt");
    expect(undo(all)).toContain('holdpoint files restore PATH');
  });

  test('a write: the unified diff, what does not show in it, and how to take it back', async () => {
    const { parts } = await repository();
    const all = await parts('save-file', { path: 'kept.txt', content: 'kept \u202e\n' });
    expect(diffs(all)).toContain('-kept\n+kept \u202e\n');
    expect(items(all)).toContain('the new content of kept.txt has characters that do not show: U+202E');
    expect(all).toContainEqual({
      kind: 'facts',
      title: 'What is there now',
      rows: [['kept.txt', 'git has it as it is']],
    });
    expect(undo(all)).toContain('brings back what is there now');
    const made = await parts('save-file', { path: '.github/workflows/x.yml', content: 'on: push\n' });
    expect(items(made)).toContain('is a workflow');
    expect(undo(made)).toContain('takes the file away again');
    const edit = await parts('str-replace-editor', { path: 'changed.txt', oldText: 'now', newText: 'later' });
    expect(diffs(edit)).toContain('-now\n+later\n');
  });

  test('without git, and with content that may not be shown, that is said', async () => {
    const { files, at } = newWorkspace({ 'a.bin': 'x' });
    writeFileSync(at('a.bin'), Buffer.from([1, 0, 2]));
    const bench = await heldBench({ files });
    const { envelope } = await bench.call('remove-files', { paths: ['a.bin'] });
    const { parts = [] } = (await bench.services.approvals.find(envelope.approval?.id ?? '')).plan.preview;
    expect(diffs(parts)).toBe('a.bin: 3 bytes of binary data\n');
    expect(parts).toContainEqual({
      kind: 'facts',
      title: 'What is lost',
      rows: [['a.bin', '3 bytes; whether git has it is unknown: it could not be found out']],
    });
  });
});
