#!/usr/bin/env node
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

if (major < 22 || (major === 22 && minor < 19)) {
  process.stderr.write(
    `holdpoint: Node ${process.versions.node} is too old; Holdpoint needs Node 22.19 or newer. In a clone, "npx -y pnpm@12 start" brings one along.\n`,
  );
  process.exit(2);
}

const { keepCompiled } = await import('./config/compile-cache.ts');
keepCompiled();
const { interpretParsers } = await import('./config/parsers.ts');
interpretParsers();
// After the check: an older Node could not even read the modules behind it.
const { main } = await import('./cli/main.ts');
await main(process.argv);
