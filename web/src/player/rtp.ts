// RTP packets of one stream become pictures (RFC 3550). After a loss nothing is passed on
// until the next key picture. What a codec's payload looks like is its subclass's matter;
// H.264's (RFC 6184: single NAL units, STAP-A, FU-A) stands here, AV1's in av1.ts.
import { NAL_IDR, NAL_SEI, nalType, stampOfSei, type Picture, type Stamp } from './h264';

const MAX_PICTURE = 8 << 20;

export abstract class Depacketizer {
  lost = 0; // RTP packets that never came
  dropped = 0; // pictures given up because of that
  protected units: Uint8Array[] = [];
  protected parts: Uint8Array[] | null = null; // of a unit that comes in several packets
  protected broken = false;
  private size = 0;
  private seq = -1;
  private time = -1;
  private waiting = true; // for a key picture

  constructor(private readonly picture: (p: Picture) => void) {}

  /** Takes apart what one packet carries, into units and parts. */
  protected abstract payload(b: Uint8Array): void;
  protected abstract isKey(units: Uint8Array[]): boolean;
  protected abstract stampOf(unit: Uint8Array): Stamp | null;

  packet(p: Uint8Array): void {
    if (p.length < 13 || p[0] >> 6 !== 2) return;
    const view = new DataView(p.buffer, p.byteOffset, p.byteLength);
    const marker = p[1] & 0x80;
    const seq = view.getUint16(2);
    const time = view.getUint32(4);
    let at = 12 + (p[0] & 15) * 4;
    if (p[0] & 0x10) at += 4 + view.getUint16(at + 2) * 4;
    const end = p[0] & 0x20 ? p.length - p[p.length - 1] : p.length;
    if (at >= end) return;

    if (this.seq >= 0 && seq !== ((this.seq + 1) & 0xffff)) {
      this.lost += (seq - this.seq - 1) & 0xffff;
      this.broken = true;
    }
    this.seq = seq;
    if (this.time >= 0 && time !== this.time && (this.units.length || this.parts)) this.flush();
    this.time = time;
    this.size += end - at;
    if (this.size > MAX_PICTURE) this.broken = true;
    else this.payload(p.subarray(at, end));
    if (marker) this.flush();
  }

  private flush(): void {
    const { units, size } = this;
    const whole = !this.broken && !this.parts;
    this.units = [];
    this.parts = null;
    this.size = 0;
    this.broken = false;
    if (!units.length) return;
    const key = whole && this.isKey(units);
    if (!whole) this.waiting = true;
    if (key) this.waiting = false;
    if (this.waiting) {
      this.dropped++;
      return;
    }
    let stamp: Stamp | null = null;
    for (const u of units) stamp ??= this.stampOf(u);
    this.picture({ nals: units, key, rtpTime: this.time, stamp, bytes: size });
  }
}

export class H264Depacketizer extends Depacketizer {
  protected isKey(nals: Uint8Array[]): boolean {
    return nals.some((n) => nalType(n) === NAL_IDR);
  }

  protected stampOf(nal: Uint8Array): Stamp | null {
    return nalType(nal) === NAL_SEI ? stampOfSei(nal) : null;
  }

  protected payload(b: Uint8Array): void {
    const type = b[0] & 31;
    if (type === 28) {
      if (b.length < 3) return;
      if (b[1] & 0x80) this.parts = [Uint8Array.of((b[0] & 0xe0) | (b[1] & 31))];
      if (!this.parts) {
        this.broken = true;
        return;
      }
      this.parts.push(b.subarray(2));
      if (b[1] & 0x40) {
        this.units.push(join(this.parts));
        this.parts = null;
      }
    } else if (type === 24) {
      for (let at = 1; at + 2 < b.length; ) {
        const n = (b[at] << 8) | b[at + 1];
        if (n) this.units.push(b.subarray(at + 2, at + 2 + n));
        at += 2 + n;
      }
    } else if (type >= 1 && type <= 23) {
      this.units.push(b);
    }
  }
}

export function join(parts: Uint8Array[]): Uint8Array {
  let n = 0;
  for (const p of parts) n += p.length;
  const out = new Uint8Array(n);
  n = 0;
  for (const p of parts) {
    out.set(p, n);
    n += p.length;
  }
  return out;
}
