import { z } from 'zod';

import { candidates, diagnose, dockerignores, readFiles, SEVERITIES } from '../../adapters/diagnostics/port.ts';
import type { Finding, ReadFile, Severity } from '../../adapters/diagnostics/port.ts';
import { HoldpointError } from '../../core/errors.ts';
import { fitting } from '../../core/fitting.ts';
import { fileTarget, folderTarget, viewTarget, withReal, workspacePath } from '../../core/paths.ts';
import { defineTool } from '../../core/tool.ts';

const DEFAULT_LIMIT = 20;
/** Room for the findings and for the names of the files, as JSON, in bytes. */
const ROOM = 5500;
const NAMES_ROOM = 1200;
/** Of one text, in characters. */
const MAX_TEXT = 400;

const severity = z.enum(SEVERITIES);

export default defineTool({
  name: 'diagnostics',
  title: 'Check infrastructure files',
  description: 'Check Dockerfiles, compose, Kubernetes manifests, workflows: what is wrong, why, the fix.',
  keywords: ['lint', 'best practices', 'security', 'review', 'audit', 'hadolint', 'actionlint', 'misconfiguration'],
  effect: 'read',
  needs: ['files'],
  input: z.strictObject({
    path: z.string().optional(),
    severity: severity.describe('least shown').optional(),
    limit: z
      .int()
      .refine((limit) => limit > 0 && limit <= 200, 'Between 1 and 200.')
      .optional(),
  }),
  output: z.strictObject({
    findings: z.array(
      z.strictObject({
        file: z.string(),
        line: z.int(),
        rule: z.string(),
        severity,
        what: z.string(),
        why: z.string(),
        fix: z.string(),
      }),
    ),
    /** How many there are of each severity, those not shown included. */
    total: z.strictObject({ error: z.int(), warning: z.int(), info: z.int() }),
    /** The files that were checked, by what they were checked as. */
    checked: z.record(z.string(), z.array(z.string())),
    /** What is not shown or was not checked, and why. */
    note: z.string().optional(),
  }),

  targets: ({ path = '.' }) => [viewTarget(path)],

  async plan({ path: written = '.', severity: least = 'warning', limit = DEFAULT_LIMIT }, { files }) {
    const path = workspacePath(written);
    const { real, type } = await files.look(path);
    const target = type === 'folder' ? folderTarget(path) : fileTarget(path, 'read');
    return {
      effect: 'read' as const,
      targets: withReal(target, real),
      preconditions: [],
      steps: [],
      preview: { summary: `check ${path}` },
      data: { path, real, type, least, limit },
    };
  },

  async run({ data: { path, real, type, least, limit } }, context) {
    if (type === 'missing')
      throw new HoldpointError('not_found', `${path} is not there.`, {
        hint: 'Name a file or folder; file-search finds them.',
      });
    const place = await context.files.look(path, { real });
    const chosen = place.type === 'folder' ? await candidates(place, context) : { files: [place], notes: [] };
    const read = await readFiles(chosen.files, context);
    const ignored = await dockerignores(read.files, context);
    const all = [...read.findings, ...diagnose(read.files, { ignores: (file) => ignored.has(file) })].sort(
      (a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity),
    );
    const wanted = all.filter((finding) => SEVERITIES.indexOf(finding.severity) <= SEVERITIES.indexOf(least));
    const shown = wanted.slice(0, limit).map((finding) => shownOf(finding, context.redact));
    const findings = shown.slice(
      0,
      fitting(
        shown.map((finding) => JSON.stringify(finding)),
        ROOM,
      ).length,
    );
    const { checked, unnamed } = namesOf(read.files);
    const counted = (each: Severity) => all.filter((finding) => finding.severity === each).length;
    const total = { error: counted('error'), warning: counted('warning'), info: counted('info') };
    const notes = [
      findings.length < wanted.length
        ? `${wanted.length - findings.length} more findings: check a single file, or raise severity or limit.`
        : '',
      all.length > wanted.length ? `${all.length - wanted.length} below severity ${least}.` : '',
      unnamed > 0 ? `${unnamed} more files checked.` : '',
      type === 'file' && read.unknown > 0 && read.findings.length === 0
        ? `${path} is no Dockerfile, compose file, Kubernetes manifest, GitHub workflow or composite action: nothing was checked.`
        : '',
      type === 'folder' && read.unknown > 0 ? `${read.unknown} other YAML files not checked.` : '',
      ...chosen.notes,
      ...read.notes,
    ].filter(Boolean);
    return { findings, total, checked, ...(notes.length > 0 && { note: notes.join(' ') }) };
  },

  render({ findings, total, checked, note }) {
    const explained = new Set<string>();
    const lines = findings.map(({ file, line, rule, severity: level, what, why, fix }) => {
      const head = `${file}:${line} ${level} ${rule}: ${what}`;
      // The same rule again says nothing new.
      if (explained.has(rule + fix)) return head;
      explained.add(rule + fix);
      return `${head}. ${why}\n  fix: ${fix.replaceAll('\n', '\n       ')}`;
    });
    const files = Object.entries(checked).map(([kind, paths]) => `${kind} ${paths.join(', ')}`);
    return [
      SEVERITIES.map((each) => `${total[each]} ${each}${total[each] === 1 ? '' : 's'}`).join(', '),
      ...lines,
      `checked: ${files.join('; ') || 'nothing'}`,
      ...(note === undefined ? [] : [note]),
    ].join('\n');
  },
});

function namesOf(files: readonly ReadFile[]): { checked: Record<string, string[]>; unnamed: number } {
  const names = fitting(
    files.map(({ path }) => path),
    NAMES_ROOM,
  );
  const checked: Record<string, string[]> = {};
  for (const { path, kind } of files.slice(0, names.length)) (checked[kind] ??= []).push(path);
  return { checked, unnamed: files.length - names.length };
}

/** A finding for showing: names out of the files masked, on one line, cut. */
function shownOf(finding: Finding, redact: (text: string) => string): Finding {
  const plain = (text: string) => {
    const line = redact(text).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ');
    return line.length <= MAX_TEXT ? line : `${line.slice(0, MAX_TEXT)}…`;
  };
  const fix = finding.fix.split('\n').map(plain).slice(0, 6).join('\n');
  return { ...finding, what: plain(finding.what), fix };
}
