import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { dirname } from 'node:path';

import { placeOf, readPlace, type PlaceSetting } from '../audit/places/places.ts';
import { failed, type Check, type Finding } from './check.ts';

/** The places outside that keep checkpoints: whether they can be written, and what they have. Nothing is written. */
export const checkpoints: Check = {
  what: 'checkpoints',
  async run({ config }) {
    const { checkpoints: places } = config.audit;
    const fix = 'audit: { checkpoints: [{ file: /a/path }] } in the settings.';
    if (places.length === 0)
      return [{ level: 'off', what: 'checkpoints', detail: 'nothing outside tells of a log that is rewritten', fix }];
    return Promise.all(places.map((place) => finding(place, config.environment['PATH'] ?? '')));
  },
};

async function finding(place: PlaceSetting, PATH: string): Promise<Finding> {
  const what = 'checkpoints';
  const { name } = placeOf(place, PATH);
  if (place.webhook !== undefined) return { level: 'ok', what, detail: `${name} (not called here)` };
  try {
    await access(place.git ?? place.file ?? '', constants.W_OK).catch(async (error: NodeJS.ErrnoException) => {
      if (place.git !== undefined || error.code !== 'ENOENT') throw error;
      await access(dirname(place.file ?? ''), constants.W_OK);
    });
  } catch (thrown) {
    return failed(what, thrown, 'fail', `Let the server add to it: ${name}.`);
  }
  try {
    const known = await readPlace(place, PATH);
    return { level: 'ok', what, detail: `${name}: ${known.length}` };
  } catch {
    const later = 'The server writes the first one after a while, and when it stops.';
    return { level: 'warn', what, detail: `${name}: nothing that can be read as checkpoints yet`, fix: later };
  }
}
