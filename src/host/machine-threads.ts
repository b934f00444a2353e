/** Threads of this process in which machines run, seen from both sides. */
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { machineCommand } from '../machines/messages.ts';

export interface MachineThread<Message> {
  /** Wakes the thread's event loop, if nothing else holds it. */
  wake(): void;
  /** Ends the thread in the middle of whatever it does. */
  terminate(): void;
  /** @param listeners are called with what the thread sends; with an error that ended it; when it is over */
  listen(listeners: {
    readonly message: (message: Message) => void;
    readonly error: (error: unknown) => void;
    readonly end: () => void;
  }): void;
}

/** Starts a thread with this same program, which finds `data` by `machineData`. */
export function startMachineThread<Data, Message>(name: string, data: Data): MachineThread<Message> {
  const worker = new Worker(process.argv[1], {
    argv: [machineCommand],
    workerData: data,
    name,
    // What a thread prints by itself is an error message of Node's.
    stdout: false,
    stderr: false,
  });
  return {
    wake: () => worker.postMessage(undefined),
    terminate: () => void worker.terminate(),
    listen: ({ message, error, end }) => {
      worker.on('message', message);
      worker.on('error', error);
      worker.on('exit', end);
    },
  };
}

/** In a machine's thread: what it was started with; elsewhere undefined. */
export function machineData<Data>(): Data | undefined {
  return isMainThread ? undefined : (workerData as Data);
}

/** In a machine's thread: sends something to the thread that started it. */
export function sendToSupervisor<Message>(message: Message, moved: readonly ArrayBuffer[] = []): void {
  parentPort!.postMessage(message, moved);
}

/** In a machine's thread: calls back when it is woken. @returns ends that, so that the thread can end */
export function onWake(listener: () => void): () => void {
  parentPort!.on('message', listener);
  return () => void parentPort!.off('message', listener);
}
