// RTSP inside a WebSocket (subprotocol "binary"): requests as text, media as
// interleaved packets (RFC 2326 10.12), one track: of pictures, of sound, or the back channel.
import { join } from './rtp';

export class RtspError extends Error {
  constructor(
    readonly status: number,
    text: string,
  ) {
    super(text);
  }
}

interface Reply {
  status: number;
  reason: string;
  headers: Map<string, string>;
  body: string;
}

export interface Track {
  codec: string;
  clock: number;
  sps: Uint8Array | null;
  pps: Uint8Array | null;
  av1: string; // the codec's name (AV1 Codec ISO Media File Format Binding 5)
}

const decoder = new TextDecoder();
const encoder = new TextEncoder();
const MAX_PENDING = 4 << 20;

const bytesOf = (base64: string) => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));

export type Medium = 'video' | 'audio' | 'back';
const BACK = 'www.onvif.org/ver20/backchannel';

function parseSdp(sdp: string, medium: Medium): { track: Track; control: string } | null {
  const media = sdp
    .split(/^(?=m=)/m)
    .find((m) => m.startsWith(medium === 'video' ? 'm=video' : 'm=audio') && /^a=sendonly/m.test(m) === (medium === 'back'));
  if (!media) return null;
  const map = /^a=rtpmap:\d+ ([\w-]+)\/(\d+)/m.exec(media);
  const sprop = /sprop-parameter-sets=([^;,\s]+),([^;\s]+)/.exec(media);
  const av1 = /profile=(\d+);level-idx=(\d+);tier=(\d+)/.exec(media);
  return {
    control: /^a=control:(\S+)/m.exec(media)?.[1] ?? '',
    track: {
      codec: map?.[1].toUpperCase() ?? '',
      clock: Number(map?.[2] ?? 90000),
      sps: sprop ? bytesOf(sprop[1]) : null,
      pps: sprop ? bytesOf(sprop[2]) : null,
      av1: av1 ? `av01.${av1[1]}.${av1[2].padStart(2, '0')}${av1[3] === '1' ? 'H' : 'M'}.08` : '',
    },
  };
}

export class RtspOverWebSocket {
  onPacket: (rtp: Uint8Array) => void = () => {};
  onClose: (code: number) => void = () => {};
  bytes = 0;

  private socket: WebSocket | null = null;
  private rest: Uint8Array | null = null;
  private waiting: ((reply: Reply) => void)[] = [];
  private failed: ((why: Error) => void)[] = [];
  private cseq = 0;
  private sessionId = '';
  private keepAlive = 0;
  private aggregate: string;

  private seq = 0;
  private time = 0;

  constructor(
    private readonly address: string,
    private readonly url: string,
    private readonly medium: Medium = 'video',
  ) {
    this.aggregate = url;
  }

  /** Connects and plays; resolves with the track once packets are about to flow. */
  async play(): Promise<Track> {
    await this.connect();
    const require: Record<string, string> = this.medium === 'back' ? { Require: BACK } : {};
    const described = await this.request('DESCRIBE', this.url, { Accept: 'application/sdp', ...require });
    const sdp = parseSdp(described.body, this.medium);
    if (!sdp) throw new RtspError(415, `The stream holds no ${this.medium}.`);
    const base = described.headers.get('content-base') ?? this.url;
    const control = /^rtsps?:/i.test(sdp.control) ? sdp.control : base.replace(/\/?$/, '/') + sdp.control;
    const setup = await this.request('SETUP', control, { Transport: 'RTP/AVP/TCP;unicast;interleaved=0-1', ...require });
    const [id, ...more] = (setup.headers.get('session') ?? '').split(';');
    this.sessionId = id.trim();
    const seconds = Number(/timeout=(\d+)/.exec(more.join(';'))?.[1] ?? 60);
    this.aggregate = described.headers.get('content-base') ?? this.url;
    await this.request('PLAY', this.aggregate, require);
    this.keepAlive = window.setInterval(
      () => this.request('GET_PARAMETER', this.aggregate, {}).catch(() => {}),
      Math.max(5, seconds / 2) * 1000,
    );
    return sdp.track;
  }

  /** One packet of G.711 over the back channel. */
  say(body: Uint8Array, samples: number): void {
    if (this.socket?.readyState !== WebSocket.OPEN) return;
    const frame = new Uint8Array(16 + body.length);
    const view = new DataView(frame.buffer);
    frame[0] = 0x24;
    view.setUint16(2, 12 + body.length);
    frame[4] = 0x80;
    view.setUint16(6, this.seq++ & 0xffff);
    view.setUint32(8, this.time >>> 0);
    view.setUint32(12, 0x5645_4454);
    this.time += samples;
    frame.set(body, 16);
    this.socket.send(frame);
  }

  close(): void {
    clearInterval(this.keepAlive);
    const s = this.socket;
    this.socket = null;
    if (!s) return;
    s.onmessage = s.onclose = s.onerror = null;
    if (s.readyState === WebSocket.OPEN && this.sessionId)
      s.send(encoder.encode(`TEARDOWN ${this.aggregate} RTSP/1.0\r\nCSeq: ${++this.cseq}\r\nSession: ${this.sessionId}\r\n\r\n`));
    s.close();
    this.failAll(new RtspError(0, 'closed'));
  }

  private connect(): Promise<void> {
    return new Promise((resolve, reject) => {
      const s = new WebSocket(this.address, 'binary');
      s.binaryType = 'arraybuffer';
      this.socket = s;
      s.onopen = () => resolve();
      s.onmessage = (e) => {
        if (e.data instanceof ArrayBuffer) this.feed(new Uint8Array(e.data));
      };
      s.onclose = (e) => {
        clearInterval(this.keepAlive);
        const why = new RtspError(0, `The connection was closed (${e.code}).`);
        reject(why);
        this.failAll(why);
        this.onClose(e.code);
      };
    });
  }

  private failAll(why: Error): void {
    const failed = this.failed;
    this.failed = [];
    this.waiting = [];
    failed.forEach((f) => f(why));
  }

  private request(method: string, url: string, headers: Record<string, string>): Promise<Reply> {
    return new Promise((resolve, reject) => {
      if (this.socket?.readyState !== WebSocket.OPEN) {
        reject(new RtspError(0, 'closed'));
        return;
      }
      const timer = window.setTimeout(() => reject(new RtspError(408, `${method} was not answered.`)), 8000);
      let text = `${method} ${url} RTSP/1.0\r\nCSeq: ${++this.cseq}\r\nUser-Agent: Vedette page\r\n`;
      if (this.sessionId) text += `Session: ${this.sessionId}\r\n`;
      for (const [name, value] of Object.entries(headers)) text += `${name}: ${value}\r\n`;
      this.failed.push((why) => {
        clearTimeout(timer);
        reject(why);
      });
      this.waiting.push((reply) => {
        clearTimeout(timer);
        if (reply.status === 200) resolve(reply);
        else reject(new RtspError(reply.status, reply.reason));
      });
      this.socket.send(encoder.encode(text + '\r\n'));
    });
  }

  private feed(message: Uint8Array): void {
    this.bytes += message.length;
    let b = this.rest ? join([this.rest, message]) : message;
    this.rest = null;
    while (b.length) {
      if (b[0] === 0x24) {
        if (b.length < 4) break;
        const n = (b[2] << 8) | b[3];
        if (b.length < 4 + n) break;
        if (b[1] === 0) this.onPacket(b.subarray(4, 4 + n));
        b = b.subarray(4 + n);
        continue;
      }
      const used = this.reply(b);
      if (!used) break;
      b = b.subarray(used);
    }
    if (b.length > MAX_PENDING) this.socket?.close();
    else if (b.length) this.rest = b.slice();
  }

  /** Length of the reply at the start of b, or 0 while it is not whole. */
  private reply(b: Uint8Array): number {
    let end = -1;
    for (let i = 0; i + 3 < b.length; i++)
      if (b[i] === 13 && b[i + 1] === 10 && b[i + 2] === 13 && b[i + 3] === 10) {
        end = i + 4;
        break;
      }
    if (end < 0) return 0;
    const [first, ...lines] = decoder.decode(b.subarray(0, end - 4)).split('\r\n');
    const headers = new Map<string, string>();
    for (const line of lines) {
      const colon = line.indexOf(':');
      if (colon > 0) headers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
    }
    const length = Number(headers.get('content-length') ?? 0);
    if (b.length < end + length) return 0;
    const status = /^RTSP\/1\.0 (\d{3}) ?(.*)$/.exec(first);
    if (status) {
      this.failed.shift();
      this.waiting.shift()?.({
        status: Number(status[1]),
        reason: status[2],
        headers,
        body: decoder.decode(b.subarray(end, end + length)),
      });
    }
    return end + length;
  }
}
