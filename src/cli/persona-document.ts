import type { Config } from '../config/config.ts';
import type { ImportScope } from '../personas/documents/import.ts';
import { locateDocument } from '../personas/documents/locate.ts';

/**
 * The same settings with a persona's folder where they name a document: it is imported into the state directory under the
 * hash of its bytes, and what keys stand in it are known secrets from here on.
 *
 * @throws HoldpointError `invalid_input` for a document that cannot be read.
 */
export async function withPersona(config: Config): Promise<Config> {
  const located = locateDocument(config.persona);
  if (located === undefined) return config;
  const [{ importInto }, { reportSummary }] = await Promise.all([
    import('../personas/documents/import.ts'),
    import('../personas/documents/report.ts'),
  ]);
  const { folder, secrets, report } = await importInto(config.state, located, importing);
  if (report) process.stderr.write(`holdpoint: ${reportSummary(report)}; ${folder}/report.md has them\n`);
  return { ...config, persona: folder, document: located.file, secrets: [...config.secrets, ...secrets] };
}

/** This server's tools and programs, for documents to be read against. */
export async function importing(): Promise<ImportScope> {
  const [{ loadRegistry }, { importScope }, { prepared }] = await Promise.all([
    import('../server/registry.ts'),
    import('../server/import-scope.ts'),
    import('../config/prepared.ts'),
  ]);
  const programs = prepared.programs ?? (await import('../config/programs.ts')).loadPrograms();
  return importScope(await loadRegistry(), { programs: await programs });
}
