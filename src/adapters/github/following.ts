import { setTimeout as sleep } from 'node:timers/promises';

import { HoldpointError } from '../../core/errors.ts';
import type { Progress } from '../../core/tool.ts';
import type { Call } from './octokit.ts';
import type { RepositoryName } from './repository.ts';
import type { Job, Run } from './run.ts';

/** Seconds: pauses between looks, growing, and the longest following. Clients give a call about 60. */
const FIRST_PAUSE = 2;
const LONGEST_PAUSE = 5;
const LONGEST = 40;

export interface Followed {
  run?: Run;
  jobs: Job[];
  ended: boolean;
  /** Why the following stopped early. */
  problem?: string;
}

export interface Following {
  /** Look once and wait for nothing. */
  once?: boolean;
  /** Wait for this attempt's end, where an earlier one has ended. */
  attempt?: number;
}

interface Looks {
  run(repository: RepositoryName, id: number, call: Call): Promise<Run>;
  jobs(repository: RepositoryName, id: number, call: Call): Promise<Job[]>;
}

/** Following runs with progress. A pause of one second lasts `second` milliseconds. */
export function createFollowing(looks: Looks, second: number) {
  return {
    async follow(
      repository: RepositoryName,
      id: number,
      { once = false, attempt = 1 }: Following,
      report: (update: Progress) => void,
      call: Call,
    ): Promise<Followed> {
      let known: Followed = { jobs: [], ended: false };
      let pause = FIRST_PAUSE;
      try {
        for (let waited = 0; ; waited += pause, pause = Math.min(pause + 1, LONGEST_PAUSE)) {
          // oxlint-disable no-await-in-loop -- one look after the other
          const [run, jobs] = await Promise.all([looks.run(repository, id, call), looks.jobs(repository, id, call)]);
          known = { run, jobs, ended: run.status === 'completed' && run.attempt >= attempt };
          // The end is the answer's to tell: clients drop progress that arrives together with it.
          if (known.ended) return known;
          report(progressOf(run, jobs));
          if (once || waited + pause > LONGEST) return known;
          await sleep(pause * second, undefined, { signal: call.signal });
          // oxlint-enable no-await-in-loop
        }
      } catch (error) {
        const problem =
          error instanceof HoldpointError && !call.signal.aborted ? error.message : 'Holdpoint is stopping.';
        return { ...known, problem };
      }
    },
  };
}

function progressOf(run: Run, jobs: readonly Job[]): Progress {
  const steps = jobs.flatMap((job) => job.steps);
  const ended = steps.filter((step) => step.status === 'completed').length;
  const current = jobs.flatMap((job) => {
    const step = job.steps.find((each) => each.status === 'in_progress');
    return job.status === 'in_progress' ? [step ? `${job.name}: ${step.name}` : job.name] : [];
  });
  return {
    message: `run ${run.id} ${run.status.replaceAll('_', ' ')}${current.length === 0 ? '' : `; ${current.slice(0, 3).join(', ')}`}`,
    ...(steps.length === 0 ? {} : { done: ended, total: steps.length }),
  };
}
