// Listening and talking. Both are RTSP in a WebSocket of their own, so that the picture does not
// notice: sound comes as Opus where the browser decodes it (WebCodecs), else as plain samples,
// and is played by Web Audio a little after it came; what the microphone hears goes the other way
// as G.711 over the back channel. Nothing runs until somebody asks.
import { call, socketUrl } from '../lib/api';
import { RtspOverWebSocket } from './rtsp';
import { Timeline } from './sink';

export interface AudioStatus {
  allowed: boolean;
  input: { inputs: number; signal: boolean; rms: number; peak: number; loud: boolean };
  output: { exists: boolean; allowed: boolean; talking: boolean; user: string; rms: number };
}

const AHEAD_S = 0.08; // sound is played so long after it came
const LATE_S = 0.4; // more than this and it begins anew
const PLAIN_HZ = 16000;
const TALK_HZ = 8000;
const TALK_BYTES = 160; // 20 ms

export const sound = $state({
  listening: 'off' as 'off' | 'starting' | 'on',
  talking: 'off' as 'off' | 'starting' | 'on',
  why: '', // the last one failed
  status: null as AudioStatus | null,
  asked: false, // whether there is a status is known
});

export async function askStatus(): Promise<AudioStatus | null> {
  const reply = await call('/vedette/audio').catch(() => null);
  sound.status = reply?.ok ? await reply.json() : null;
  sound.asked = true;
  return sound.status;
}

/** Why nobody can talk from this page; a key of the catalogue, or ''. */
export function talkBar(): '' | 'sound.insecure' | 'sound.no.output' | 'sound.not.allowed' {
  if (!window.isSecureContext || !navigator.mediaDevices) return 'sound.insecure';
  if (sound.status && !sound.status.output.exists) return 'sound.no.output';
  if (sound.status && !sound.status.output.allowed) return 'sound.not.allowed';
  return '';
}

const address = () => socketUrl('/rtsp-over-websocket', '/axis-cgi/rtspwssession.cgi', 'rtspwssession');
const stream = (args: string) => `rtsp://${location.host}/axis-media/media.amp?${args}`;

function payload(p: Uint8Array): { time: number; body: Uint8Array } | null {
  if (p.length < 13 || p[0] >> 6 !== 2 || p[0] & 0x30) return null;
  const at = 12 + (p[0] & 15) * 4;
  return at < p.length ? { time: new DataView(p.buffer, p.byteOffset).getUint32(4), body: p.subarray(at) } : null;
}

// ---- listening ----

let listening: { close(): void } | null = null;

/** Plays pieces one behind the other, a little late, so that they join. */
class Speaker {
  private next = 0;
  constructor(private readonly context: AudioContext) {}

  play(samples: Float32Array<ArrayBuffer>, rate: number): void {
    const now = this.context.currentTime;
    if (this.next < now || this.next > now + LATE_S) this.next = now + AHEAD_S;
    const buffer = this.context.createBuffer(1, samples.length, rate);
    buffer.copyToChannel(samples, 0);
    const source = this.context.createBufferSource();
    source.buffer = buffer;
    source.connect(this.context.destination);
    source.start(this.next);
    this.next += buffer.duration;
  }
}

async function decodesOpus(): Promise<boolean> {
  if (typeof AudioDecoder === 'undefined') return false;
  const s = await AudioDecoder.isConfigSupported({ codec: 'opus', sampleRate: 48000, numberOfChannels: 1 }).catch(() => null);
  return !!s?.supported;
}

function opusPlayer(speaker: Speaker, failed: () => void): { push(p: Uint8Array): void; close(): void } {
  const line = new Timeline(48000);
  const decoder = new AudioDecoder({
    output: (data) => {
      const samples = new Float32Array(data.numberOfFrames);
      data.copyTo(samples, { planeIndex: 0, format: 'f32-planar' });
      speaker.play(samples, data.sampleRate);
      data.close();
    },
    error: failed,
  });
  decoder.configure({ codec: 'opus', sampleRate: 48000, numberOfChannels: 1 });
  return {
    push: (p) => {
      const rtp = payload(p);
      if (rtp && decoder.state === 'configured')
        decoder.decode(new EncodedAudioChunk({ type: 'key', timestamp: line.us(rtp.time), data: rtp.body as Uint8Array<ArrayBuffer> }));
    },
    close: () => decoder.state !== 'closed' && decoder.close(),
  };
}

function plainPlayer(speaker: Speaker): { push(p: Uint8Array): void; close(): void } {
  return {
    push: (p) => {
      const rtp = payload(p);
      if (!rtp) return;
      const view = new DataView(rtp.body.buffer, rtp.body.byteOffset, rtp.body.byteLength & ~1);
      const samples = new Float32Array(view.byteLength / 2);
      samples.forEach((_, i) => (samples[i] = view.getInt16(2 * i) / 32768));
      speaker.play(samples, PLAIN_HZ);
    },
    close: () => {},
  };
}

/** From a click: browsers play nothing before one. */
export async function listen(on: boolean): Promise<void> {
  listening?.close();
  listening = null;
  sound.listening = 'off';
  if (!on) return;
  sound.listening = 'starting';
  sound.why = '';
  const context = new AudioContext();
  let rtsp: RtspOverWebSocket | null = null;
  let player: { push(p: Uint8Array): void; close(): void } | null = null;
  const mine = {
    close: () => {
      rtsp?.close();
      player?.close();
      void context.close();
    },
  };
  const failed = (e: unknown) => {
    if (listening !== mine) return;
    sound.why = e instanceof Error ? e.message : String(e);
    void listen(false);
  };
  listening = mine;
  try {
    void context.resume();
    const opus = await decodesOpus();
    const args = opus ? 'audiocodec=opus&audiosamplerate=48000' : `audiocodec=lpcm&audiosamplerate=${PLAIN_HZ}`;
    const to = await address();
    if (listening !== mine) return;
    rtsp = new RtspOverWebSocket(to, stream(`video=0&audio=1&${args}`), 'audio');
    const speaker = new Speaker(context);
    player = opus ? opusPlayer(speaker, () => failed('decoder')) : plainPlayer(speaker);
    rtsp.onPacket = (p) => player?.push(p);
    rtsp.onClose = (code) => failed(`closed (${code})`);
    await rtsp.play();
    if (listening === mine) sound.listening = 'on';
  } catch (e) {
    failed(e);
  }
}

// ---- talking ----

let talking: { close(): void } | null = null;

/** G.711 mu-law. */
function ulaw(x: number): number {
  const s = Math.max(-32635, Math.min(32635, Math.round(x * 32767)));
  const size = Math.abs(s) + 0x84;
  const exponent = 24 - Math.clz32(size);
  return ~((s < 0 ? 0x80 : 0) | (exponent << 4) | ((size >> (exponent + 3)) & 15)) & 255;
}

/** Means of the samples that fall into one of the wanted rate. */
export class Thinner {
  private sum = 0;
  private n = 0;
  private at = 0;
  constructor(
    private readonly from: number,
    private readonly to: number,
    private readonly out: (x: number) => void,
  ) {}
  push(samples: Float32Array): void {
    for (const x of samples) {
      this.sum += x;
      this.n++;
      this.at += this.to;
      if (this.at < this.from) continue;
      this.at -= this.from;
      this.out(this.sum / this.n);
      this.sum = this.n = 0;
    }
  }
}

export async function talk(on: boolean): Promise<void> {
  talking?.close();
  talking = null;
  sound.talking = 'off';
  if (!on) return;
  sound.talking = 'starting';
  sound.why = '';
  let rtsp: RtspOverWebSocket | null = null;
  let context: AudioContext | null = null;
  let media: MediaStream | null = null;
  const mine = {
    close: () => {
      rtsp?.close();
      media?.getTracks().forEach((track) => track.stop());
      void context?.close();
    },
  };
  const failed = (e: unknown) => {
    if (talking !== mine) return;
    sound.why = e instanceof Error ? e.message : String(e);
    void talk(false);
  };
  talking = mine;
  try {
    media = await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1, echoCancellation: true } });
    const to = await address();
    if (talking !== mine) return mine.close();
    const line = new RtspOverWebSocket(to, stream('video=0&audio=0'), 'back');
    rtsp = line;
    line.onClose = (code) => failed(`closed (${code})`);
    await line.play();
    if (talking !== mine) return;
    context = new AudioContext();
    const packet = new Uint8Array(TALK_BYTES);
    let n = 0;
    const thin = new Thinner(context.sampleRate, TALK_HZ, (x) => {
      packet[n++] = ulaw(x);
      if (n < TALK_BYTES) return;
      line.say(packet, TALK_BYTES);
      n = 0;
    });
    // A worklet would need a file of its own for three lines; nothing here is in a hurry.
    const node = context.createScriptProcessor(1024, 1, 1);
    node.onaudioprocess = (e) => thin.push(e.inputBuffer.getChannelData(0));
    context.createMediaStreamSource(media).connect(node);
    node.connect(context.destination);
    sound.talking = 'on';
  } catch (e) {
    failed(e);
  }
}
