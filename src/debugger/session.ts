/**
 * A debugger's connection: takes packets apart, answers them, and tells of stops. What a command does is in commands.ts.
 * Only one command goes on at a time, and while the guest runs none but an interrupt: others wait until it stands.
 */

import { Commands, type Reply } from './commands.ts';
import type { Debugger, DebuggerSession, Reason } from './debugger.ts';
import { type Arrival, acknowledgement, bytesOf, encodePacket, PacketReader, rejection } from './packets.ts';
import type { DebuggedProgram } from './program.ts';
import { stopReply } from './stop-reply.ts';

/** A debugger's end of the line. */
export interface DebuggerLink {
  send(bytes: Uint8Array): void;
  /** Ends the connection when all of it is sent. */
  close(): void;
}

/** Packets that may wait for the guest to stand: a debugger that waits for an answer sends none at all. */
const longestQueue = 64;

export class Session implements DebuggerSession {
  private readonly debug: Debugger;
  private readonly program: DebuggedProgram;
  private readonly link: DebuggerLink;
  private readonly commands: Commands;
  private readonly reader = new PacketReader();
  private readonly queue: Uint8Array[] = [];
  private acknowledges = true;
  /** The last packet, in case the other side did not get it whole. */
  private sent = encodePacket(new Uint8Array());
  /** The debugger let the guest go on, and is to hear why it stops. */
  private awaitsStop = false;
  /** The debugger has let the guest go, or ended it. */
  isOver = false;

  constructor(debug: Debugger, program: DebuggedProgram, link: DebuggerLink) {
    this.debug = debug;
    this.program = program;
    this.link = link;
    this.commands = new Commands(debug, program, {
      resumed: () => {
        this.awaitsStop = true;
      },
      withoutAcknowledgements: () => {
        this.acknowledges = false;
      },
      print: (text) => this.send(bytesOf(text)),
      over: () => {
        this.isOver = true;
      },
    });
    debug.attach(this);
  }

  /** Bytes have arrived. */
  received(bytes: Uint8Array): void {
    this.reader.push(bytes, (arrival) => this.take(arrival));
  }

  stopped(reason: Reason): void {
    if (this.awaitsStop) {
      this.awaitsStop = false;
      this.send(bytesOf(stopReply(reason, this.debug, this.program, this.commands.features)));
    }
    if (reason.kind === 'end') this.link.close();
    else this.drain();
  }

  private take(arrival: Arrival): void {
    if (this.isOver) return;
    switch (arrival.kind) {
      case 'interrupt':
        this.debug.interrupt();
        break;
      case 'rejected':
        if (this.acknowledges) this.link.send(this.sent);
        break;
      case 'damaged':
        if (this.acknowledges) this.link.send(rejection);
        break;
      case 'packet':
        if (this.acknowledges) this.link.send(acknowledgement);
        if (this.queue.length < longestQueue) this.queue.push(arrival.data);
        this.drain();
        break;
      case 'acknowledged':
    }
  }

  /** Answers what has arrived, as long as the guest stands. */
  private drain(): void {
    while (this.debug.standsBecause !== undefined && !this.isOver) {
      const packet = this.queue.shift();
      if (packet === undefined) return;
      this.answer(this.commands.perform(packet));
    }
  }

  private answer(reply: Reply): void {
    if (reply !== undefined) this.send(typeof reply === 'string' ? bytesOf(reply) : reply);
    if (this.isOver) this.link.close();
  }

  private send(data: Uint8Array): void {
    this.sent = encodePacket(data);
    this.link.send(this.sent);
  }
}
