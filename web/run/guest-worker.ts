/** A worker with one guest, as the page sees it. */
import { workerProgram } from 'virtual:stele-run';
import type { FromSession, ToSession } from '../../src/browser/session-messages.ts';
import { inflate, type RegionDetails, type Summary } from '../../src/inspect/page-data.ts';
import type { ReportSource } from '../report/source.ts';

let programUrl: Promise<string> | undefined;

export class GuestWorker {
  private readonly worker: Worker;
  private readonly details = new Map<number, (details: RegionDetails) => void>();
  private summarized: (summary: Summary) => void = () => {};

  private constructor(worker: Worker, receive: (message: FromSession) => void) {
    this.worker = worker;
    worker.onmessage = ({ data }: MessageEvent<FromSession>) => {
      if (data.kind === 'summary') this.summarized(data.summary);
      else if (data.kind === 'details') {
        this.details.get(data.number)?.(data.details);
        this.details.delete(data.number);
      } else receive(data);
    };
    worker.onerror = ({ message }) => receive({ kind: 'failed', message });
  }

  static async start(receive: (message: FromSession) => void): Promise<GuestWorker> {
    programUrl ??= inflate(workerProgram).then((bytes) =>
      URL.createObjectURL(new Blob([bytes], { type: 'text/javascript' })),
    );
    return new GuestWorker(new Worker(await programUrl, { name: 'guest' }), receive);
  }

  send(message: ToSession): void {
    this.worker.postMessage(message);
  }

  /** The run's translations, once it is over. They stay in the worker, and are asked for one by one. */
  async inspect(): Promise<ReportSource> {
    const summary = await new Promise<Summary>((resolve) => {
      this.summarized = resolve;
      this.send({ kind: 'inspect' });
    });
    return {
      summary,
      // The sources are on the machine of whoever built the program.
      sources: summary.files.map(() => null),
      details: (number) =>
        new Promise((resolve) => {
          this.details.set(number, resolve);
          this.send({ kind: 'details', number });
        }),
    };
  }

  terminate(): void {
    this.worker.terminate();
  }
}
