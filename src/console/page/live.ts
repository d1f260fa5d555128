import { open, Refusal } from './api.ts';
import { byId } from './dom.ts';

/** Milliseconds between attempts to reach a server that does not answer. */
const AGAIN = 2000;

/**
 * Calls `changed` whenever the server says that something happened, and when it is reached again; rests while nobody looks
 * at the page. Ends, with `over`, when nobody is signed in any more.
 */
export function follow(changed: () => void, over: () => void): () => void {
  let stop = new AbortController();
  let running = false;
  let ended = false;

  const listen = async (): Promise<void> => {
    const response = await open('changes', undefined, stop.signal);
    byId('offline').hidden = true;
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    let said = '';
    for (;;) {
      const { done, value } = (await reader?.read()) ?? { done: true, value: '' };
      if (done) return;
      said += value;
      const lines = said.split('\n');
      said = lines.pop() ?? '';
      if (lines.length > 0) changed();
    }
  };

  const run = async (): Promise<void> => {
    if (running) return;
    running = true;
    while (!ended && !document.hidden) {
      try {
        await listen();
      } catch (error) {
        if (error instanceof Refusal && error.status === 401) {
          ended = true;
          over();
        } else if (!stop.signal.aborted) byId('offline').hidden = false;
      }
      if (!ended && !document.hidden) await new Promise((resolve) => setTimeout(resolve, AGAIN));
    }
    running = false;
  };

  const look = () => {
    if (document.hidden) stop.abort();
    else {
      stop = new AbortController();
      void run();
    }
  };
  document.addEventListener('visibilitychange', look);
  look();
  return () => {
    ended = true;
    document.removeEventListener('visibilitychange', look);
    stop.abort();
  };
}
