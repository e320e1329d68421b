// The last resort that every browser can show: JPEG pictures in a multipart body.
import { call, ApiError } from '../lib/api';
import { parseStamp, type Stamp } from './h264';
import { join } from './rtp';
import type { SinkHooks } from './sink';

const latin = new TextDecoder('latin1');
const MAX_PART = 8 << 20;

/** The camera's stamp in a COM segment (ITU-T T.81 B.2.4.5). */
function stampOfJpeg(b: Uint8Array): Stamp | null {
  for (let at = 2; at + 4 < b.length && b[at] === 0xff && b[at + 1] !== 0xda; ) {
    const n = (b[at + 2] << 8) | b[at + 3];
    if (b[at + 1] === 0xfe) {
      const stamp = parseStamp(latin.decode(b.subarray(at + 4, at + 2 + n)).replace(/\0+$/, ''));
      if (stamp) return stamp;
    }
    at += 2 + n;
  }
  return null;
}

export class MjpegPlayer {
  bytes = 0;
  dropped = 0;
  private readonly abort = new AbortController();
  private readonly ctx: CanvasRenderingContext2D;
  private drawing = false;

  constructor(
    private readonly canvas: HTMLCanvasElement,
    private readonly hooks: SinkHooks,
  ) {
    this.ctx = canvas.getContext('2d', { alpha: false })!;
  }

  /** Plays until closed or failed; rejects when it cannot start. */
  async play(path: string, started: () => void): Promise<void> {
    const reply = await call(path, { signal: this.abort.signal });
    if (!reply.ok || !reply.body) throw new ApiError(reply.status, 'http', reply.statusText);
    started();
    const reader = reply.body.getReader();
    let rest: Uint8Array = new Uint8Array(0);
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      this.bytes += value.length;
      rest = rest.length ? join([rest, value]) : value;
      rest = this.parts(rest);
      if (rest.length > MAX_PART) throw new Error('A picture is too large.');
    }
  }

  close(): void {
    this.abort.abort();
  }

  private parts(b: Uint8Array): Uint8Array {
    for (;;) {
      const head = latin.decode(b.subarray(0, 512));
      const end = head.indexOf('\r\n\r\n');
      const length = /content-length:\s*(\d+)/i.exec(end < 0 ? '' : head.slice(0, end));
      if (!length) return b;
      const from = end + 4;
      const to = from + Number(length[1]);
      if (b.length < to) return b;
      void this.show(b.slice(from, to));
      b = b.subarray(to);
      while (b.length > 1 && b[0] === 13 && b[1] === 10) b = b.subarray(2);
    }
  }

  private async show(jpeg: Uint8Array<ArrayBuffer>): Promise<void> {
    if (this.drawing) {
      this.dropped++;
      return;
    }
    this.drawing = true;
    try {
      const image = await createImageBitmap(new Blob([jpeg], { type: 'image/jpeg' }));
      const { width, height } = image;
      if (this.canvas.width !== width || this.canvas.height !== height) {
        this.canvas.width = width;
        this.canvas.height = height;
      }
      this.ctx.drawImage(image, 0, 0);
      image.close();
      this.hooks.shown({ width, height, stamp: stampOfJpeg(jpeg) });
    } catch {
      this.dropped++;
    } finally {
      this.drawing = false;
    }
  }
}
