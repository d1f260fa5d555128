import { testKills } from '../crash/kills.ts';

// The long form of test/crash/crash.test.ts: 500 kills, two minutes on a busy machine. It needs no server.
testKills(40, 20, 300_000);
