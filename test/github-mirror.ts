import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** One request to the emulated GitHub; throws on an error status. */
type Api = (method: string, path: string, body?: unknown) => Promise<unknown>;

/**
 * Brings a branch of a bare repository to the emulated GitHub, which serves no git of its own: every commit that it does not
 * have, through the git data API, with the very same ids.
 *
 * @param root `/repos/OWNER/NAME`.
 * @returns the branch's commit, and the files in its `.github/workflows`, by path.
 */
export async function mirrorBranch(
  api: Api,
  root: string,
  bare: string,
  branch: string,
): Promise<{ commit: string; workflows: Record<string, string> }> {
  const output = async (...args: string[]) =>
    (await promisify(execFile)('git', ['--git-dir', bare, ...args], { encoding: 'buffer' })).stdout;
  const text = async (...args: string[]) => (await output(...args)).toString().trimEnd();
  const has = (path: string) =>
    api('GET', `${root}/git/${path}`).then(
      () => true,
      () => false,
    );

  for (const sha of (await text('rev-list', '--reverse', '--topo-order', branch)).split('\n')) {
    if (await has(`commits/${sha}`)) continue;
    const entries = (await text('ls-tree', '-r', '-z', sha)).split('\0').filter(Boolean);
    const tree = entries.map((entry) => {
      const [, mode = '', blob = '', path = ''] = /^(\d+) blob (\w+)\t(.*)$/s.exec(entry) ?? [];
      return { path, mode, type: 'blob', sha: blob };
    });
    for (const { sha: blob } of tree) {
      if (await has(`blobs/${blob}`)) continue;
      const content = (await output('cat-file', 'blob', blob)).toString('base64');
      await api('POST', `${root}/git/blobs`, { content, encoding: 'base64' });
    }
    const { sha: top } = (await api('POST', `${root}/git/trees`, { tree })) as { sha: string };
    const format = '%P%x00%an%x00%ae%x00%aI%x00%cn%x00%ce%x00%cI%x00%B';
    const fields = (await text('show', '--no-patch', `--format=${format}`, sha)).split('\0');
    const [parents = '', name, email, date, committer, address, at, message] = fields;
    const made = (await api('POST', `${root}/git/commits`, {
      message,
      tree: top,
      parents: parents.split(' ').filter(Boolean),
      author: { name, email, date },
      committer: { name: committer, email: address, date: at },
    })) as { sha: string };
    if (made.sha !== sha) throw new Error(`${sha} became ${made.sha} on its way to the emulated GitHub.`);
  }

  const commit = await text('rev-parse', branch);
  if (await has(`ref/heads/${branch}`))
    await api('PATCH', `${root}/git/refs/heads/${branch}`, { sha: commit, force: true });
  else await api('POST', `${root}/git/refs`, { ref: `refs/heads/${branch}`, sha: commit });
  const paths = (await text('ls-tree', '-r', '--name-only', branch, '--', '.github/workflows/')).split('\n');
  const read = async (path: string) => [path, (await output('cat-file', 'blob', `${branch}:${path}`)).toString()];
  return {
    commit,
    workflows: Object.fromEntries(await Promise.all(paths.filter(Boolean).map(read))) as Record<string, string>,
  };
}
