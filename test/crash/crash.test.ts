import { testKills } from './kills.ts';

testKills(10, 6, 120_000);
