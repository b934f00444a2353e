/**
 * Packets of GDB's remote serial protocol (GDB manual, appendix "Remote Protocol", sections "Overview" and "Packet
 * Acknowledgment"): `$data#checksum`, with two hexadecimal digits that sum the bytes between, acknowledged by `+` or
 * asked for again by `-` until both sides agree to do without. A byte 3 outside of packets interrupts the guest.
 */

/** What arrives. Bytes of data stand for themselves: escapes are undone. */
export type Arrival =
  | { readonly kind: 'packet'; readonly data: Uint8Array }
  /** A packet whose checksum is wrong. */
  | { readonly kind: 'damaged' }
  | { readonly kind: 'acknowledged' }
  | { readonly kind: 'rejected' }
  | { readonly kind: 'interrupt' };

/** The longest packet that is taken, in bytes as they arrive; what is longer counts as damaged. */
export const longestPacket = 0x20000;

const dollar = 0x24;
const hash = 0x23;
const plus = 0x2b;
const minus = 0x2d;
const escapeByte = 0x7d;
const asterisk = 0x2a;
const interrupt = 0x03;
/** What an escaped byte is XORed with. */
const escapeBit = 0x20;

/** Cuts a stream of bytes into what they say; takes them in pieces of any size. */
export class PacketReader {
  private readonly raw = new Uint8Array(longestPacket);
  private length = 0;
  private sum = 0;
  private state: 'outside' | 'inside' | 'first digit' | 'second digit' = 'outside';
  private digit = 0;
  private isTooLong = false;

  /** Calls back with everything that the bytes complete, in order. */
  push(bytes: Uint8Array, arrived: (arrival: Arrival) => void): void {
    for (const byte of bytes) {
      const arrival = this.take(byte);
      if (arrival !== undefined) arrived(arrival);
    }
  }

  private take(byte: number): Arrival | undefined {
    switch (this.state) {
      case 'outside':
        if (byte === dollar) this.begin();
        else if (byte === plus) return { kind: 'acknowledged' };
        else if (byte === minus) return { kind: 'rejected' };
        else if (byte === interrupt) return { kind: 'interrupt' };
        return undefined;
      case 'inside':
        if (byte === hash) this.state = 'first digit';
        // A packet's data never holds a dollar sign: the other side began anew.
        else if (byte === dollar) this.begin();
        else this.append(byte);
        return undefined;
      case 'first digit':
        this.digit = hexDigit(byte);
        this.state = 'second digit';
        return undefined;
      case 'second digit': {
        this.state = 'outside';
        const isRight = this.digit * 16 + hexDigit(byte) === this.sum && this.digit >= 0 && !this.isTooLong;
        const data = isRight ? plainData(this.raw.subarray(0, this.length)) : undefined;
        return data === undefined ? { kind: 'damaged' } : { kind: 'packet', data };
      }
    }
  }

  private begin(): void {
    this.state = 'inside';
    this.length = 0;
    this.sum = 0;
    this.isTooLong = false;
  }

  private append(byte: number): void {
    this.sum = (this.sum + byte) & 0xff;
    if (this.length === longestPacket) this.isTooLong = true;
    else this.raw[this.length++] = byte;
  }
}

/** The value of a hexadecimal digit's byte; -1 for any other byte. */
function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

/**
 * Undoes escapes (`}` and the byte XOR 0x20) and runs (`*` and a byte: the byte before, that byte's value less 29 times
 * more).
 * @returns undefined when the data end in the middle of one, or begin with a run
 */
function plainData(raw: Uint8Array): Uint8Array | undefined {
  const bytes: number[] = [];
  for (let i = 0; i < raw.length; i++) {
    const byte = raw[i];
    if (byte !== escapeByte && byte !== asterisk) {
      bytes.push(byte);
      continue;
    }
    i++;
    if (i === raw.length) return undefined;
    if (byte === escapeByte) {
      bytes.push(raw[i] ^ escapeBit);
      continue;
    }
    const count = raw[i] - 29;
    if (count < 3 || raw[i] > 126 || bytes.length === 0 || bytes.length + count > longestPacket) return undefined;
    const repeated = bytes[bytes.length - 1];
    for (let n = 0; n < count; n++) bytes.push(repeated);
  }
  return Uint8Array.from(bytes);
}

/** A packet with this data, as it is sent. */
export function encodePacket(data: Uint8Array): Uint8Array {
  const bytes: number[] = [dollar];
  let sum = 0;
  const put = (byte: number): void => {
    bytes.push(byte);
    sum = (sum + byte) & 0xff;
  };
  for (const byte of data) {
    const special = byte === dollar || byte === hash || byte === escapeByte || byte === asterisk;
    if (special) put(escapeByte);
    put(special ? byte ^ escapeBit : byte);
  }
  const [high, low] = sum.toString(16).padStart(2, '0');
  return Uint8Array.from([...bytes, hash, high.charCodeAt(0), low.charCodeAt(0)]);
}

/** What acknowledges a packet, or asks for it again. */
export const acknowledgement = Uint8Array.of(plus);
export const rejection = Uint8Array.of(minus);

/** Text as bytes, one each; for what holds ASCII only, or bytes in a string's place. */
export function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0) & 0xff);
}

/** Bytes as text, a character each. */
export function textOf(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

export function toHex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0');
  return text;
}

/** The bytes that pairs of hexadecimal digits stand for; undefined when they are none. */
export function fromHex(text: string): Uint8Array | undefined {
  if (text.length % 2 !== 0 || /[^0-9a-fA-F]/.test(text)) return undefined;
  return Uint8Array.from({ length: text.length / 2 }, (_, i) => Number.parseInt(text.slice(2 * i, 2 * i + 2), 16));
}

/** A number as packets have it, in hexadecimal digits without a sign; undefined where there is none, or it is beyond 2^53. */
export function hexNumber(text: string | undefined): number | undefined {
  if (text === undefined || !/^[0-9a-fA-F]+$/.test(text)) return undefined;
  const value = Number.parseInt(text, 16);
  return Number.isSafeInteger(value) ? value : undefined;
}
