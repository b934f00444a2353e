/** The page's worker: runs one guest. */
import { GuestSession } from '../../src/browser/guest-session.ts';
import type { ToSession } from '../../src/browser/session-messages.ts';

/** What a worker has that the types of pages do not tell. */
interface WorkerScope {
  readonly crossOriginIsolated: boolean;
  readonly navigator: { readonly hardwareConcurrency: number };
  onmessage: ((event: MessageEvent<ToSession>) => void) | null;
  postMessage(message: unknown): void;
}

const scope = self as unknown as WorkerScope;

const session = new GuestSession(
  {
    isIsolated: scope.crossOriginIsolated,
    processors: scope.navigator.hardwareConcurrency,
    yieldToEvents: () =>
      new Promise((resolve) => {
        // A timer would be held back by some milliseconds.
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = () => {
          port1.close();
          resolve();
        };
        port2.postMessage(0);
      }),
    startWorker: (program, whenItTalks) => {
      const url = URL.createObjectURL(new Blob([program], { type: 'text/javascript' }));
      const worker = new Worker(url);
      worker.onmessage = () => {
        URL.revokeObjectURL(url);
        whenItTalks();
      };
      return worker;
    },
  },
  (message) => scope.postMessage(message),
);

scope.onmessage = ({ data }) => void session.receive(data);
