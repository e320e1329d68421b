// The one player of the page: opens the stream, picks the best way to show it, comes
// back by itself and always says what it is doing.
import { call, session, socketUrl } from '../lib/api';
import { profileArguments } from '../lib/profiles';
import { begin, cam, fetchParams, linked, serverNow } from '../lib/camera.svelte';
import { Av1Depacketizer } from './av1';
import { codecString, type Picture, type Stamp } from './h264';
import { MjpegPlayer } from './mjpeg';
import { MseSink, mseWorks } from './mse';
import { H264Depacketizer, type Depacketizer } from './rtp';
import { RtspError, RtspOverWebSocket } from './rtsp';
import type { Shown, Sink } from './sink';
import { WebCodecsSink, webCodecsWorks } from './webcodecs';

export type Way = 'webcodecs' | 'av1' | 'mse' | 'mjpeg';
export type Kind = 'off' | 'connecting' | 'live' | 'stalled' | 'waiting' | 'paused' | 'hidden';

const WAITS = [1, 2, 3, 5, 8, 13];
const HISTORY = 60;
const STALL_MS = 2500;
const GIVE_UP_MS = 8000; // without a byte
const NEVER_MS = 30000; // without a picture, though bytes come: a slow machine needs its time
const WAY_STORE = 'vedette.way';
const ADAPT_STORE = 'vedette.adaptive';
const ADAPT_MS = 600; // a window that is being drawn larger is waited for
const ADAPT_FPS = 30;

export const view = $state({
  kind: 'off' as Kind,
  seconds: 0, // until the next try
  why: '', // catalogue key of the last failure
  detail: '',
  way: 'webcodecs' as Way,
  wanted: (localStorage.getItem(WAY_STORE) || 'auto') as Way | 'auto',
  adaptive: localStorage.getItem(ADAPT_STORE) === 'yes', // resolution as large as it is shown
  profile: '', // a stream profile that is looked at
  channel: 1, // 1: the whole picture, others: view areas
  width: 0,
  height: 0,
  rotation: 0, // of the stream, beside how the camera hangs
  mirror: false,
  pictures: 0,
  codec: '',
  fps: 0,
  kbps: 0,
  delayMs: null as number | null,
  lost: 0,
  dropped: 0,
  stamp: null as Stamp | null,
  history: { kbps: [] as number[], fps: [] as number[], delay: [] as number[] },
});

class Player {
  private canvas!: HTMLCanvasElement;
  private video!: HTMLVideoElement;
  private rtsp: RtspOverWebSocket | null = null;
  private depay: Depacketizer | null = null;
  private sink: Sink | null = null;
  private mjpeg: MjpegPlayer | null = null;
  private run = 0; // of the current attempt; what belongs to older ones is ignored
  private wanted = false;
  private frozen = false;
  private failures = 0;
  private timer = 0;
  private resized = 0;
  private asked = ''; // resolution
  private bad = new Set<Way>();
  private shownAt = 0;
  private liveSince = 0;
  private delays: number[] = [];
  private counted = { pictures: 0, bytes: 0, at: 0 };
  private heardAt = 0; // bytes came since the last tick

  /** Returns how to let go of them. */
  attach(canvas: HTMLCanvasElement, video: HTMLVideoElement): () => void {
    this.canvas = canvas;
    this.video = video;
    const seen = () => this.visibility();
    const online = () => view.kind === 'waiting' && this.open();
    document.addEventListener('visibilitychange', seen);
    window.addEventListener('online', online);
    const ticker = window.setInterval(() => this.tick(), 1000);
    const observer = new ResizeObserver(() => {
      clearTimeout(this.resized);
      this.resized = window.setTimeout(() => this.fit(), ADAPT_MS);
    });
    observer.observe(canvas.parentElement!);
    return () => {
      document.removeEventListener('visibilitychange', seen);
      window.removeEventListener('online', online);
      clearInterval(ticker);
      clearTimeout(this.resized);
      observer.disconnect();
    };
  }

  adapt(on: boolean): void {
    view.adaptive = on;
    localStorage.setItem(ADAPT_STORE, on ? 'yes' : 'no');
    this.again();
  }

  /** What a stream profile looks like; '' : the usual stream again. */
  preview(profile: string): void {
    if (view.profile === profile) return;
    view.profile = profile;
    this.again();
  }

  /** Another channel: 1 is the whole picture. */
  channel(n: number): void {
    if (view.channel === n) return;
    view.channel = n;
    this.again();
  }

  private again(): void {
    if (this.wanted && !this.frozen && !document.hidden) this.open();
  }

  /** The smallest resolution of the picture's shape that fills its place; '' : as set. */
  private size(): string {
    if (!view.adaptive || view.profile || view.channel > 1) return '';
    const sizes = cam.resolutions.map((r) => r.split('x').map(Number));
    if (!sizes.length) return '';
    const [fullW, fullH] = sizes[0];
    const place = this.canvas.parentElement!.getBoundingClientRect();
    const scale = window.devicePixelRatio || 1;
    const wide = Math.min(place.width * scale, (place.height * scale * fullW) / fullH);
    const fits = sizes.filter(([w, h]) => Math.abs(w / h - fullW / fullH) < 0.01).sort((a, b) => a[0] - b[0]);
    return (fits.find(([w]) => w >= wide * 0.98) ?? fits.at(-1) ?? sizes[0]).join('x');
  }

  private fit(): void {
    if (view.adaptive && view.kind === 'live' && this.size() !== this.asked) this.again();
  }

  private arguments(): string {
    this.asked = this.size();
    const args: string[] = [];
    if (view.channel > 1) args.push(`camera=${view.channel}`);
    if (view.profile) args.push(`streamprofile=${encodeURIComponent(view.profile)}`);
    if (this.asked) args.push(`resolution=${this.asked}`, `fps=${ADAPT_FPS}`);
    return args.map((a) => `&${a}`).join('');
  }

  start(): void {
    this.wanted = true;
    this.frozen = false;
    this.failures = 0;
    this.visibility();
  }

  stop(): void {
    this.wanted = false;
    this.close();
    view.kind = 'off';
  }

  freeze(on: boolean): void {
    this.frozen = on;
    if (on) {
      this.close();
      view.kind = 'paused';
    } else {
      this.open();
    }
  }

  choose(way: Way | 'auto'): void {
    view.wanted = way;
    localStorage.setItem(WAY_STORE, way);
    this.bad.clear();
    if (this.wanted && !this.frozen) this.open();
  }

  grab(): HTMLCanvasElement | null {
    const from = view.way === 'mse' ? this.video : this.canvas;
    const copy = document.createElement('canvas');
    const context = copy.getContext('2d');
    if (!context || !view.width || view.kind === 'connecting' || view.kind === 'waiting') return null;
    [copy.width, copy.height] = [view.width, view.height];
    context.drawImage(from, 0, 0, view.width, view.height);
    return copy;
  }

  retryNow(): void {
    this.failures = 0;
    if (this.wanted && !this.frozen) this.open();
  }

  private visibility(): void {
    if (!this.wanted || this.frozen) return;
    if (document.hidden) {
      this.close();
      view.kind = 'hidden';
    } else if (view.kind === 'hidden' || view.kind === 'off' || view.kind === 'paused') {
      this.open();
    }
  }

  private close(): void {
    this.run++;
    clearTimeout(this.timer);
    this.rtsp?.close();
    this.sink?.close();
    this.mjpeg?.close();
    this.rtsp = this.sink = this.mjpeg = this.depay = null;
  }

  private open(): void {
    this.close();
    const run = this.run;
    view.kind = 'connecting';
    this.delays = [];
    this.shownAt = this.heardAt = performance.now();
    this.counted = { pictures: view.pictures, bytes: 0, at: performance.now() };
    this.attempt(run).catch((e) => this.failed(run, e));
  }

  private async attempt(run: number): Promise<void> {
    await readTurning();
    if (run !== this.run) return;
    if (view.wanted === 'mjpeg' || (this.bad.has('webcodecs') && this.bad.has('mse'))) return this.playMjpeg(run);
    const address = await socketUrl('/rtsp-over-websocket', '/axis-cgi/rtspwssession.cgi', 'rtspwssession');
    if (run !== this.run) return;
    const av1 = view.wanted === 'av1' && !this.bad.has('av1') && (await webCodecsWorks('av01.0.08M.08'));
    if (run !== this.run) return;
    const rtsp = new RtspOverWebSocket(
      address,
      `rtsp://${location.host}/axis-media/media.amp?videocodec=${av1 ? 'av1' : 'h264'}${this.arguments()}`,
    );
    this.rtsp = rtsp;
    let early: Picture[] | null = [];
    const take = (p: Picture) => (early ? early.push(p) : this.sink?.push(p));
    const depay = av1 ? new Av1Depacketizer(take) : new H264Depacketizer(take);
    this.depay = depay;
    rtsp.onPacket = (rtp) => depay.packet(rtp);
    rtsp.onClose = (code) => this.failed(run, new RtspError(0, `closed (${code})`));
    const track = await rtsp.play();
    if (run !== this.run) return;
    const codec = track.sps ? codecString(track.sps) : 'avc1.640028';
    const way = av1 ? 'av1' : await this.pick(codec);
    if (run !== this.run) return;
    if (way === 'mjpeg') {
      rtsp.close();
      this.rtsp = null;
      return this.playMjpeg(run);
    }
    view.way = way;
    view.codec = av1 ? 'AV1' : `H.264 ${profile(track.sps)}`.trim();
    const hooks = {
      shown: (s: Shown) => run === this.run && this.shown(s),
      failed: (why: string) => {
        if (run !== this.run) return;
        this.bad.add(way);
        this.failed(run, new Error(why), true);
      },
    };
    this.sink =
      way === 'mse'
        ? new MseSink(this.video, track.clock, hooks)
        : new WebCodecsSink(this.canvas, track.clock, hooks, av1 ? track.av1 || 'av01.0.08M.08' : '');
    early.forEach((p) => this.sink?.push(p));
    early = null;
  }

  private async pick(codec: string): Promise<Way> {
    const ways: Way[] = view.wanted === 'mse' || view.wanted === 'webcodecs' ? [view.wanted] : ['webcodecs', 'mse'];
    for (const way of ways) {
      if (this.bad.has(way)) continue;
      if (way === 'webcodecs' && (await webCodecsWorks(codec))) return way;
      if (way === 'mse' && mseWorks(codec)) return way;
    }
    return 'mjpeg';
  }

  private async playMjpeg(run: number): Promise<void> {
    view.way = 'mjpeg';
    view.codec = 'JPEG';
    const player = new MjpegPlayer(this.canvas, {
      shown: (s) => run === this.run && this.shown(s),
      failed: (why) => this.failed(run, new Error(why)),
    });
    this.mjpeg = player;
    await player.play(`/axis-cgi/mjpg/video.cgi${this.arguments().replace('&', '?')}`, () => {});
    throw new RtspError(0, 'closed');
  }

  private shown(s: Shown): void {
    const now = performance.now();
    if (view.kind !== 'live') {
      view.kind = 'live';
      view.why = view.detail = '';
      this.liveSince = now;
    }
    this.shownAt = now;
    view.pictures++;
    if (view.width !== s.width) view.width = s.width;
    if (view.height !== s.height) view.height = s.height;
    view.stamp = s.stamp;
    if (s.stamp) {
      this.delays.push(serverNow() - s.stamp.utcMs);
      if (this.delays.length > 30) this.delays.shift();
    }
    if (this.failures && now - this.liveSince > 5000) this.failures = 0;
  }

  private failed(run: number, e: unknown, atOnce = false): void {
    if (run !== this.run || !this.wanted) return;
    this.close();
    const status = (e as { status?: number }).status ?? 0;
    view.why =
      status === 503 || status === 453 ? 'player.full' : status === 403 ? 'player.denied' : status === 404 ? 'player.missing' : 'player.lost';
    view.detail = e instanceof Error ? e.message : String(e);
    if (status === 401) void begin();
    let seconds = atOnce ? 0 : WAITS[Math.min(this.failures, WAITS.length - 1)];
    this.failures++;
    const count = () => {
      if (seconds <= 0) {
        void this.check().then((ok) => ok && this.open());
        return;
      }
      view.kind = 'waiting';
      view.seconds = seconds--;
      this.timer = window.setTimeout(count, 1000);
    };
    count();
  }

  /** A refused WebSocket says nothing; ask whether we are still logged in. */
  private async check(): Promise<boolean> {
    if (this.failures < 2) return true;
    try {
      if (!(await session()).user) {
        if (cam.phase === 'ready') void begin();
        return false;
      }
    } catch {
      /* away: try anyway */
    }
    return this.wanted && !this.frozen && !document.hidden;
  }

  private tick(): void {
    const now = performance.now();
    const seconds = (now - this.counted.at) / 1000;
    const bytes = this.rtsp?.bytes ?? this.mjpeg?.bytes ?? 0;
    if (bytes > this.counted.bytes) this.heardAt = now;
    const live = view.kind === 'live' || view.kind === 'stalled';
    if (live && seconds > 0.2) {
      view.fps = (view.pictures - this.counted.pictures) / seconds;
      view.kbps = (Math.max(0, bytes - this.counted.bytes) * 8) / 1000 / seconds;
      const sorted = [...this.delays].sort((a, b) => a - b);
      view.delayMs = sorted.length ? sorted[sorted.length >> 1] : null;
      view.lost = this.depay?.lost ?? 0;
      view.dropped = (this.depay?.dropped ?? 0) + (this.sink?.dropped ?? this.mjpeg?.dropped ?? 0);
      const { history } = view;
      history.kbps = [...history.kbps, view.kbps].slice(-HISTORY);
      history.fps = [...history.fps, view.fps].slice(-HISTORY);
      history.delay = [...history.delay, view.delayMs ?? 0].slice(-HISTORY);
    } else if (!live) {
      view.fps = view.kbps = 0;
      view.delayMs = null;
    }
    this.counted = { pictures: view.pictures, bytes, at: now };
    this.fit(); // what resolutions there are may be known only now
    const silent = now - this.shownAt;
    if (view.kind === 'live' && silent > STALL_MS) view.kind = 'stalled';
    const dead = now - Math.max(this.heardAt, this.shownAt) > GIVE_UP_MS || silent > NEVER_MS;
    if ((view.kind === 'stalled' || view.kind === 'connecting') && dead)
      this.failed(this.run, new RtspError(408, 'no pictures came'));
  }
}

function profile(sps: Uint8Array | null): string {
  const names: Record<number, string> = { 66: 'Baseline', 77: 'Main', 100: 'High' };
  return sps ? (names[sps[1]] ?? '') : '';
}

/** How the stream that is about to start is turned; a change holds for the next one. What its
 * profile does not say stands in the stream settings. */
async function readTurning(): Promise<void> {
  const of = `Image.I${view.channel - 1}.Appearance.`;
  const [rotation, mirror] = [`${of}Rotation`, `${of}MirrorEnabled`];
  if (!(await linked(2000))) return; // as it was, then
  const profile = view.profile ? await profileArguments(view.profile).catch(() => null) : null;
  await fetchParams([rotation, mirror, 'ImageSource.I0.SourceRotatio*']).catch(() => {});
  view.rotation = Number(profile?.get('rotation') ?? cam.params[rotation] ?? 0);
  view.mirror = ['1', 'yes', 'on', 'true'].includes(profile?.get('mirror') ?? cam.params[mirror] ?? '');
}

export const player = new Player();

/** A copy of the picture on the screen; null when there is none. */
export function grab(): HTMLCanvasElement | null {
  return player.grab();
}

/** A JPEG of now, saved by the browser. */
export async function saveSnapshot(): Promise<string> {
  const reply = await call(`/axis-cgi/jpg/image.cgi${view.channel > 1 ? `?camera=${view.channel}` : ''}`);
  if (!reply.ok) throw new Error(`HTTP ${reply.status}`);
  const url = URL.createObjectURL(await reply.blob());
  const name = `vedette-${new Date(serverNow()).toISOString().slice(0, 19).replace(/:/g, '-')}.jpg`;
  const a = document.createElement('a');
  a.href = url;
  a.download = name;
  a.click();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
  return name;
}
