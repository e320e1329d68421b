// The fastest way: VideoDecoder, each picture drawn the moment it is decoded.
import { codecString, NAL_SPS, nalType, type Picture, type Stamp } from './h264';
import { Timeline, type Sink, type SinkHooks } from './sink';

const MAX_QUEUE = 12;
const START = Uint8Array.of(0, 0, 0, 1);

export async function webCodecsWorks(codec: string): Promise<boolean> {
  if (typeof VideoDecoder === 'undefined') return false;
  try {
    return !!(await VideoDecoder.isConfigSupported({ codec, optimizeForLatency: true })).supported;
  } catch {
    return false;
  }
}

export class WebCodecsSink implements Sink {
  dropped = 0;
  private readonly decoder: VideoDecoder;
  private readonly ctx: CanvasRenderingContext2D;
  private readonly stamps = new Map<number, Stamp | null>();
  private readonly timeline: Timeline;
  private codec = '';
  private skipping = false;

  constructor(
    canvas: HTMLCanvasElement,
    clock: number,
    hooks: SinkHooks,
  ) {
    this.timeline = new Timeline(clock);
    this.ctx = canvas.getContext('2d', { alpha: false })!;
    this.decoder = new VideoDecoder({
      output: (frame) => {
        const { displayWidth: width, displayHeight: height, timestamp } = frame;
        if (canvas.width !== width || canvas.height !== height) {
          canvas.width = width;
          canvas.height = height;
        }
        this.ctx.drawImage(frame, 0, 0);
        frame.close();
        const stamp = this.stamps.get(timestamp) ?? null;
        for (const at of this.stamps.keys()) if (at <= timestamp) this.stamps.delete(at);
        hooks.shown({ width, height, stamp });
      },
      error: (e) => hooks.failed(e.message),
    });
  }

  push(p: Picture): void {
    if (this.decoder.state === 'closed') return;
    if (p.key) {
      const sps = p.nals.find((n) => nalType(n) === NAL_SPS);
      const codec = sps ? codecString(sps) : this.codec;
      if (codec && codec !== this.codec) {
        this.decoder.configure({ codec, optimizeForLatency: true });
        this.codec = codec;
      }
      this.skipping = false;
    } else if (this.decoder.decodeQueueSize > MAX_QUEUE) {
      this.skipping = true; // too slow a machine: go on at the next key picture
    }
    if (!this.codec || this.skipping) {
      this.dropped++;
      return;
    }
    let n = 0;
    for (const nal of p.nals) n += 4 + nal.length;
    const data = new Uint8Array(n);
    n = 0;
    for (const nal of p.nals) {
      data.set(START, n);
      data.set(nal, n + 4);
      n += 4 + nal.length;
    }
    const timestamp = this.timeline.us(p.rtpTime);
    this.stamps.set(timestamp, p.stamp);
    this.decoder.decode(new EncodedVideoChunk({ type: p.key ? 'key' : 'delta', timestamp, data }));
  }

  close(): void {
    if (this.decoder.state !== 'closed') this.decoder.close();
  }
}
