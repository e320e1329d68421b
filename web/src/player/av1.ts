// AV1 in RTP (RTP Payload Format For AV1 1.0): OBUs travel without their sizes; decoders
// want them with (AV1 Bitstream Specification 5.3).
import { parseStamp, type Stamp } from './h264';
import { Depacketizer, join } from './rtp';

const SEQUENCE_HEADER = 1;
const PADDING = 15;
const latin = new TextDecoder('latin1');
const obuType = (obu: Uint8Array) => (obu[0] >> 3) & 15;

function leb128(n: number): number[] {
  const out: number[] = [];
  do {
    out.push((n & 127) | (n > 127 ? 128 : 0));
    n >>= 7;
  } while (n);
  return out;
}

/** The OBU with its size behind its header. */
export function sized(obu: Uint8Array): Uint8Array {
  if (obu[0] & 2) return obu;
  const head = obu[0] & 4 ? 2 : 1;
  return join([Uint8Array.of(obu[0] | 2, ...obu.subarray(1, head), ...leb128(obu.length - head)), obu.subarray(head)]);
}

export class Av1Depacketizer extends Depacketizer {
  protected isKey(obus: Uint8Array[]): boolean {
    return obus.some((o) => obuType(o) === SEQUENCE_HEADER);
  }

  protected stampOf(obu: Uint8Array): Stamp | null {
    if (obuType(obu) !== PADDING) return null;
    const text = latin.decode(obu);
    const from = text.indexOf('{');
    return from < 0 ? null : parseStamp(text.slice(from, text.lastIndexOf('}') + 1));
  }

  protected payload(b: Uint8Array): void {
    const [continues, goesOn, count] = [b[0] & 0x80, b[0] & 0x40, (b[0] >> 4) & 3];
    let at = 1;
    for (let i = 1; at < b.length; i++) {
      let n = b.length - at;
      if (i !== count) {
        n = 0;
        for (let shift = 0; shift < 35 && at < b.length; shift += 7) {
          n += (b[at] & 127) * 2 ** shift;
          if (!(b[at++] & 128)) break;
        }
        if (n > b.length - at) {
          this.broken = true;
          return;
        }
      }
      this.element(b.subarray(at, at + n), !!(i === 1 && continues), !!(goesOn && at + n === b.length));
      at += n;
    }
  }

  private element(b: Uint8Array, continues: boolean, goesOn: boolean): void {
    if (continues && !this.parts) this.broken = true;
    this.parts = continues && this.parts ? [...this.parts, b] : [b];
    if (goesOn) return;
    const obu = join(this.parts);
    this.parts = null;
    if (obu.length) this.units.push(sized(obu));
  }
}
