// The fastest way: VideoDecoder, each picture drawn the moment it is decoded.
import { codecString, NAL_SPS, nalType, type Picture, type Stamp } from './h264';
import { join } from './rtp';
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

  /** av1: the codec's name, where pictures do not tell it themselves as H.264's do. */
  constructor(
    canvas: HTMLCanvasElement,
    clock: number,
    hooks: SinkHooks,
    private readonly av1 = '',
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
      const sps = this.av1 ? undefined : p.nals.find((n) => nalType(n) === NAL_SPS);
      const codec = sps ? codecString(sps) : this.av1 || this.codec;
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
    const data = join(this.av1 ? p.nals : p.nals.flatMap((nal) => [START, nal]));
    const timestamp = this.timeline.us(p.rtpTime);
    this.stamps.set(timestamp, p.stamp);
    this.decoder.decode(new EncodedVideoChunk({ type: p.key ? 'key' : 'delta', timestamp, data }));
  }

  close(): void {
    if (this.decoder.state !== 'closed') this.decoder.close();
  }
}
