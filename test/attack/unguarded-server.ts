/**
 * A server with no guard at all, to see that the corpus notices what gets through: it opens what it is told, runs what it is
 * told in a shell, and asks the cluster for what it is told.
 */
import { execSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { McpServer } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { parse } from 'yaml';
import { z } from 'zod';

const workspace = process.argv[2] ?? '.';
const at = (path: string) => resolve(workspace, path);
const text = (value: string) => ({ content: [{ type: 'text' as const, text: value }] });

serveStdio(() => {
  const server = new McpServer({ name: 'unguarded', version: '1.0.0' });
  server.registerTool('read', { inputSchema: z.object({ path: z.string() }) }, ({ path }) =>
    text(readFileSync(at(path), 'utf8')),
  );
  server.registerTool('write', { inputSchema: z.object({ path: z.string(), content: z.string() }) }, (input) => {
    mkdirSync(dirname(at(input.path)), { recursive: true });
    writeFileSync(at(input.path), input.content);
    return text('written');
  });
  server.registerTool('remove', { inputSchema: z.object({ path: z.string() }) }, ({ path }) => {
    rmSync(at(path));
    return text('removed');
  });
  server.registerTool('run', { inputSchema: z.object({ program: z.string(), args: z.array(z.string()) }) }, (input) =>
    text(execSync([input.program, ...input.args].join(' '), { cwd: workspace, encoding: 'utf8' })),
  );
  server.registerTool('fetch', { inputSchema: z.object({ url: z.string() }) }, async ({ url }) =>
    text(await (await fetch(url)).text()),
  );
  server.registerTool('cluster', { inputSchema: z.object({ method: z.string(), path: z.string() }) }, async (input) => {
    const config = parse(readFileSync(process.env['KUBECONFIG'] ?? '', 'utf8')) as {
      clusters: { cluster: { server: string } }[];
    };
    const address = `${config.clusters[0]?.cluster.server ?? ''}${input.path}`;
    return text(await (await fetch(address, { method: input.method, body: null })).text());
  });
  return server;
});
