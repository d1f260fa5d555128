import { testRaces } from './races.ts';

// The 10,000 are in test/live: they take minutes on a busy machine.
testRaces(1500, 60_000);
