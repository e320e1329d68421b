// Media Source Extensions: pictures in fragments of MP4 (ISO/IEC 14496-12, -15), one
// a picture. Playback is nudged towards the newest picture and seldom jumps.
import { codecString, NAL_AUD, NAL_PPS, NAL_SEI, NAL_SPS, nalType, spsSize, type Picture, type Stamp } from './h264';
import { join } from './rtp';
import { Timeline, type Sink, type SinkHooks } from './sink';

const ascii = (s: string) => Uint8Array.from(s, (c) => c.charCodeAt(0));
const u32 = (...values: number[]) => {
  const view = new DataView(new ArrayBuffer(values.length * 4));
  values.forEach((v, i) => view.setUint32(i * 4, v >>> 0));
  return new Uint8Array(view.buffer);
};
const u16 = (...values: number[]) => Uint8Array.from(values.flatMap((v) => [(v >> 8) & 255, v & 255]));
const zeros = (n: number) => new Uint8Array(n);
const box = (type: string, ...parts: Uint8Array[]) => {
  const body = join(parts);
  return join([u32(8 + body.length), ascii(type), body]);
};
const full = (type: string, version: number, flags: number, ...parts: Uint8Array[]) =>
  box(type, u32((version << 24) | flags), ...parts);
const MATRIX = u32(0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000);

export function initSegment(sps: Uint8Array, pps: Uint8Array, timescale: number): Uint8Array {
  const { width, height } = spsSize(sps);
  const avcC = box(
    'avcC',
    Uint8Array.of(1, sps[1], sps[2], sps[3], 0xff, 0xe1),
    u16(sps.length),
    sps,
    Uint8Array.of(1),
    u16(pps.length),
    pps,
  );
  const avc1 = box(
    'avc1',
    zeros(6),
    u16(1),
    zeros(16),
    u16(width, height),
    u32(0x480000, 0x480000, 0),
    u16(1),
    zeros(32),
    u16(0x18, 0xffff),
    avcC,
  );
  const empty = (type: string, ...parts: Uint8Array[]) => full(type, 0, 0, ...parts, u32(0));
  const stbl = box('stbl', full('stsd', 0, 0, u32(1), avc1), empty('stts'), empty('stsc'), empty('stsz', u32(0)), empty('stco'));
  const minf = box('minf', full('vmhd', 0, 1, zeros(8)), box('dinf', full('dref', 0, 0, u32(1), full('url ', 0, 1))), stbl);
  const mdia = box(
    'mdia',
    full('mdhd', 0, 0, u32(0, 0, timescale, 0), u16(0x55c4, 0)),
    full('hdlr', 0, 0, u32(0), ascii('vide'), zeros(12), ascii('video\0')),
    minf,
  );
  const tkhd = full('tkhd', 0, 3, u32(0, 0, 1, 0, 0, 0, 0), u16(0, 0, 0, 0), MATRIX, u32(width << 16, height << 16));
  const mvhd = full('mvhd', 0, 0, u32(0, 0, timescale, 0, 0x10000), u16(0x100, 0), zeros(8), MATRIX, zeros(24), u32(2));
  const trex = full('trex', 0, 0, u32(1, 1, 0, 0, 0));
  return join([box('ftyp', ascii('isom'), u32(0), ascii('isomavc1mp41')), box('moov', mvhd, box('trak', tkhd, mdia), box('mvex', trex))]);
}

export function mediaSegment(serial: number, time: number, duration: number, key: boolean, data: Uint8Array): Uint8Array {
  const moof = (offset: number) =>
    box(
      'moof',
      full('mfhd', 0, 0, u32(serial)),
      box(
        'traf',
        full('tfhd', 0, 0x020000, u32(1)),
        full('tfdt', 1, 0, u32(Math.floor(time / 2 ** 32), time)),
        // data offset, duration, size and flags of one sample
        full('trun', 0, 0x000701, u32(1, offset, duration, data.length, key ? 0x02000000 : 0x01010000)),
      ),
    );
  return join([moof(moof(0).length + 8), box('mdat', data)]);
}

declare global {
  interface Window {
    ManagedMediaSource?: typeof MediaSource;
  }
}

export const mediaSourceClass = () =>
  typeof MediaSource !== 'undefined' ? MediaSource : window.ManagedMediaSource;

export const mseWorks = (codec: string) => !!mediaSourceClass()?.isTypeSupported(`video/mp4; codecs="${codec}"`);

const same = (a: Uint8Array, b: Uint8Array | null) => a.length === b?.length && a.every((v, i) => v === b[i]);

export class MseSink implements Sink {
  dropped = 0;
  private readonly source: MediaSource;
  private readonly url: string;
  private buffer: SourceBuffer | null = null;
  private queue: Uint8Array[] = [];
  private sps: Uint8Array | null = null;
  private pps: Uint8Array | null = null;
  private fresh = false;
  private lastTicks = 0;
  private usual = 0; // ticks from picture to picture
  private end = 0; // of what has been appended
  private readonly timeline: Timeline;
  private serial = 0;
  private stamps: { at: number; stamp: Stamp | null }[] = [];
  private closed = false;
  private watcher = 0;

  constructor(
    private readonly video: HTMLVideoElement,
    private readonly clock: number,
    private readonly hooks: SinkHooks,
  ) {
    this.timeline = new Timeline(clock);
    this.source = new (mediaSourceClass()!)();
    this.url = URL.createObjectURL(this.source);
    video.disableRemotePlayback = true;
    video.muted = true;
    video.src = this.url;
    video.onerror = () => this.fail(video.error?.message || 'The picture cannot be decoded.');
    this.source.addEventListener('sourceopen', () => this.pump());
    video.play().catch(() => {});
    this.watch();
    this.watcher = window.setInterval(() => this.follow(), 250);
  }

  push(p: Picture): void {
    if (this.closed) return;
    for (const n of p.nals) {
      const type = nalType(n);
      if (type === NAL_SPS && !same(n, this.sps)) [this.sps, this.fresh] = [n, true];
      if (type === NAL_PPS && !same(n, this.pps)) [this.pps, this.fresh] = [n, true];
    }
    if (!this.sps || !this.pps) {
      this.dropped++;
      return;
    }
    if (this.fresh) this.queue.push(initSegment(this.sps, this.pps, this.clock));
    this.fresh = false;
    // Each picture lasts until the next one comes, which nobody knows yet. A gap would
    // stall the browser, so the pieces are joined end to end: one that was guessed too
    // short or too long is made up for by the next.
    const ticks = this.timeline.ticks(p.rtpTime);
    const step = Math.min(Math.max(ticks - this.lastTicks, this.clock / 120), this.clock / 5);
    if (this.serial) this.usual += (step - this.usual) / 10;
    else this.usual = this.clock / 30;
    this.lastTicks = ticks;
    const time = this.end;
    const late = Math.min(ticks - time, this.clock);
    const duration = Math.round(Math.max(this.usual + late, this.usual / 2));
    this.end += duration;
    const parts: Uint8Array[] = [];
    for (const n of p.nals) {
      const t = nalType(n);
      if (t === NAL_SPS || t === NAL_PPS || t === NAL_AUD || t === NAL_SEI) continue;
      parts.push(u32(n.length), n);
    }
    this.stamps.push({ at: time / this.clock, stamp: p.stamp });
    if (this.stamps.length > 300) this.stamps.shift();
    this.queue.push(mediaSegment(++this.serial, time, duration, p.key, join(parts)));
    this.pump();
  }

  close(): void {
    this.closed = true;
    clearInterval(this.watcher);
    this.video.onerror = null;
    this.video.removeAttribute('src');
    this.video.load();
    URL.revokeObjectURL(this.url);
  }

  private fail(why: string): void {
    if (this.closed) return;
    this.close();
    this.hooks.failed(why);
  }

  private pump(): void {
    if (this.closed || this.source.readyState !== 'open' || !this.queue.length || this.buffer?.updating) return;
    try {
      if (!this.buffer) {
        this.buffer = this.source.addSourceBuffer(`video/mp4; codecs="${codecString(this.sps!)}"`);
        this.buffer.addEventListener('updateend', () => this.pump());
      }
      const bytes = join(this.queue);
      this.queue = [];
      this.buffer.appendBuffer(bytes as Uint8Array<ArrayBuffer>);
    } catch (e) {
      this.fail(String(e));
    }
  }

  private follow(): void {
    const { video, buffer } = this;
    if (!buffer || this.closed || !video.buffered.length) return;
    const start = video.buffered.start(0);
    const end = video.buffered.end(video.buffered.length - 1);
    const behind = end - video.currentTime;
    if (video.currentTime < start || behind > 1.5) video.currentTime = Math.max(start, end - 0.05);
    video.playbackRate = behind > 0.5 ? 1.2 : behind > 0.2 ? 1.06 : 1;
    if (video.paused) video.play().catch(() => {});
    if (!buffer.updating && video.currentTime - start > 20) buffer.remove(start, video.currentTime - 8);
  }

  private watch(): void {
    const seen = (time: number) => {
      while (this.stamps.length > 1 && this.stamps[1].at <= time + 0.001) this.stamps.shift();
      const { videoWidth: width, videoHeight: height } = this.video;
      if (width) this.hooks.shown({ width, height, stamp: this.stamps[0]?.stamp ?? null });
    };
    const video: Partial<HTMLVideoElement> & EventTarget = this.video;
    if (!video.requestVideoFrameCallback) {
      this.video.ontimeupdate = () => !this.closed && seen(this.video.currentTime);
      return;
    }
    const each = (_: number, meta: { mediaTime: number }) => {
      if (this.closed) return;
      seen(meta.mediaTime);
      this.video.requestVideoFrameCallback(each);
    };
    this.video.requestVideoFrameCallback(each);
  }
}
