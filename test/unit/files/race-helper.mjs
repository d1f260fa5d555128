// Exchanges the folder argv[2] with a link to argv[3], over and over, until its stdin ends; prints how often.
import { renameSync, rmSync, symlinkSync } from 'node:fs';

const [, , folder, outside] = process.argv;
let swaps = 0;

/** Does it, also when somebody has made a folder of that name in between, and goes on writing in it. */
function insist(act) {
  for (;;) {
    try {
      return act();
    } catch (error) {
      if (!['EEXIST', 'ENOTEMPTY', 'ENOTDIR'].includes(error.code)) throw error;
      clear();
    }
  }
}

function clear() {
  try {
    rmSync(folder, { recursive: true, force: true });
  } catch (error) {
    if (error.code !== 'ENOTEMPTY') throw error;
  }
}

process.stdin.resume();
process.stdout.write('ready\n');
while (!process.stdin.readableEnded) {
  for (let turn = 0; turn < 200; turn++, swaps++) {
    renameSync(folder, `${folder}.aside`);
    insist(() => symlinkSync(outside, folder));
    insist(() => renameSync(`${folder}.aside`, folder));
    // Long enough for some calls to get through.
    for (const until = performance.now() + 0.3; performance.now() < until;);
  }
  await new Promise(setImmediate);
}
process.stdout.write(`${swaps}\n`);
