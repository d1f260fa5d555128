// Exchanges entries of a workspace with what leads out of it, over and over, until its stdin ends; prints how often.
// argv[2]: JSON, a list of { how, path, with }, paths absolute.
import { linkSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';

const exchanges = JSON.parse(process.argv[2]);
let swaps = 0;

/** Each puts something else there, and gives what puts the right thing back. */
const HOW = {
  /** A folder becomes a link to `with`. */
  folder({ path, with: outside }) {
    const aside = `${path}.aside`;
    renameSync(path, aside);
    insist(path, () => symlinkSync(outside, path));
    return () => insist(path, () => renameSync(aside, path));
  },
  /** A file becomes a link to `with`, a hard link to it, or what `with` is, for a moment. */
  link: (each) => replaced(each, symlinkSync),
  hard: (each) => replaced(each, linkSync),
  /** A pipe that was made beside takes the file's place. */
  pipe({ path, with: pipe }) {
    const aside = `${path}.aside`;
    renameSync(path, aside);
    renameSync(pipe, path);
    return () => {
      renameSync(path, pipe);
      renameSync(aside, path);
    };
  },
  /** A link inside, to `inside`, leads out. */
  target({ path, inside, with: outside }) {
    const to = (text) => {
      symlinkSync(text, `${path}.new`);
      renameSync(`${path}.new`, path);
    };
    to(outside);
    return () => to(inside);
  },
};

function replaced({ path, with: outside }, make) {
  const fresh = `${path}.new`;
  make(outside, fresh);
  renameSync(fresh, path);
  return () => {
    writeFileSync(fresh, 'inside');
    renameSync(fresh, path);
  };
}

/** Does it, also when somebody has made a folder of that name in between, and goes on writing in it. */
function insist(path, act) {
  for (;;) {
    try {
      return act();
    } catch (error) {
      if (!['EEXIST', 'ENOTEMPTY', 'ENOTDIR', 'EISDIR'].includes(error.code)) throw error;
      try {
        rmSync(path, { recursive: true, force: true });
      } catch (inner) {
        if (inner.code !== 'ENOTEMPTY') throw inner;
      }
    }
  }
}

/** Long enough for some calls to get through, short enough to fall between the steps of others. */
function pause() {
  for (const until = performance.now() + Math.random() * 0.6; performance.now() < until;);
}

process.stdin.resume();
process.stdout.write('ready\n');
while (!process.stdin.readableEnded) {
  for (let turn = 0; turn < 100; turn++, swaps++) {
    const each = exchanges[Math.floor(Math.random() * exchanges.length)];
    const back = HOW[each.how](each);
    pause();
    back();
    pause();
  }
  await new Promise(setImmediate);
}
process.stdout.write(`${swaps}\n`);
