import { testRaces } from '../unit/files/races.ts';

// The long form of test/unit/files/race.test.ts: minutes on a busy machine. It needs no server.
testRaces(10_000, 600_000);
