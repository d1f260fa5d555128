import type { TasksPort } from './port.ts';
import type { Ranking } from './weights.ts';

export interface TaskSettings {
  url?: string | undefined;
  key?: string | undefined;
  /** Milliseconds for one try; 10 s. */
  limit?: number | undefined;
}

/** The task queue of these settings; `rankingFile` says how tasks are ranked. Nothing is loaded, read or sent before the first call. */
export function createTasks(settings: TaskSettings, rankingFile: string): TasksPort {
  let ranking: Promise<Ranking> | undefined;
  let made: Promise<Omit<TasksPort, 'ranking'>> | undefined;
  const queue = () => (made ??= import('./queue.ts').then(({ createQueue }) => createQueue(settings)));
  return {
    ranking() {
      ranking ??= import('./weights.ts')
        .then(({ loadRanking }) => loadRanking(rankingFile))
        .catch((error: unknown) => {
          ranking = undefined;
          throw error;
        });
      return ranking;
    },
    list: async (filter, call) => (await queue()).list(filter, call),
    get: async (id, call) => (await queue()).get(id, call),
    claim: async (id, etag, call) => (await queue()).claim(id, etag, call),
    complete: async (id, etag, note, call) => (await queue()).complete(id, etag, note, call),
    comment: async (id, text, call) => (await queue()).comment(id, text, call),
  };
}
