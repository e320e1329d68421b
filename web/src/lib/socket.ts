// One connection to /vedette/ws that comes back by itself. Requests have numbers and
// get answers; what the camera says unasked goes to the listener.
import { socketUrl } from './api';

export type LinkState = { kind: 'connecting' } | { kind: 'open' } | { kind: 'waiting'; seconds: number } | { kind: 'closed' };

export class RequestError extends Error {
  constructor(
    readonly kind: string,
    readonly param: string,
    text: string,
  ) {
    super(text);
  }
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Message = Record<string, any>;

interface Hooks {
  state(s: LinkState): void;
  message(m: Message): void;
  /** Lost or refused: may we go on trying? */
  lost(): Promise<boolean>;
}

const WAITS = [1, 2, 3, 5, 8, 13];
const ANSWER_MS = 8000;

export class CameraSocket {
  /** Camera's clock minus ours, from the quickest of the last pings. */
  offsetMs = 0;
  private socket: WebSocket | null = null;
  private next = 1;
  private waiting = new Map<number, { resolve: (m: Message) => void; reject: (e: Error) => void; timer: number }>();
  private failures = 0;
  private timer = 0;
  private pinger = 0;
  private samples: { rtt: number; offset: number }[] = [];
  private stopped = true;

  constructor(private readonly hooks: Hooks) {}

  start(): void {
    this.stopped = false;
    this.failures = 0;
    void this.connect();
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
    this.drop();
    this.hooks.state({ kind: 'closed' });
  }

  get open(): boolean {
    return this.socket?.readyState === WebSocket.OPEN;
  }

  request(what: string, args: Message = {}): Promise<Message> {
    return new Promise((resolve, reject) => {
      if (!this.open) {
        reject(new RequestError('offline', '', 'offline'));
        return;
      }
      const id = this.next++;
      const timer = window.setTimeout(() => {
        this.waiting.delete(id);
        reject(new RequestError('timeout', '', 'timeout'));
      }, ANSWER_MS);
      this.waiting.set(id, { resolve, reject, timer });
      this.socket!.send(JSON.stringify({ id, do: what, ...args }));
    });
  }

  private async connect(): Promise<void> {
    this.hooks.state({ kind: 'connecting' });
    let s: WebSocket;
    try {
      s = new WebSocket(await socketUrl('/vedette/ws', '/axis-cgi/wssession.cgi', 'wssession'));
    } catch {
      void this.again();
      return;
    }
    if (this.stopped) {
      s.close();
      return;
    }
    this.socket = s;
    s.onopen = () => {
      this.failures = 0;
      this.samples = [];
      this.hooks.state({ kind: 'open' });
      this.ping();
      window.setTimeout(() => this.ping(), 300);
      window.setTimeout(() => this.ping(), 900);
      this.pinger = window.setInterval(() => this.ping(), 5000);
    };
    s.onmessage = (e) => this.received(JSON.parse(e.data));
    s.onclose = () => {
      if (this.socket !== s) return;
      this.drop();
      void this.again();
    };
  }

  private drop(): void {
    clearInterval(this.pinger);
    const s = this.socket;
    this.socket = null;
    if (s) {
      s.onclose = s.onmessage = s.onopen = null;
      s.close();
    }
    for (const w of this.waiting.values()) {
      clearTimeout(w.timer);
      w.reject(new RequestError('offline', '', 'offline'));
    }
    this.waiting.clear();
  }

  private async again(): Promise<void> {
    if (this.stopped || !(await this.hooks.lost()) || this.stopped) return;
    let seconds = WAITS[Math.min(this.failures++, WAITS.length - 1)];
    const count = () => {
      if (this.stopped) return;
      if (seconds <= 0) {
        void this.connect();
        return;
      }
      this.hooks.state({ kind: 'waiting', seconds });
      seconds--;
      this.timer = window.setTimeout(count, 1000);
    };
    count();
  }

  private received(m: Message): void {
    if (m.id === undefined) {
      this.hooks.message(m);
      return;
    }
    const w = this.waiting.get(m.id);
    if (!w) return;
    this.waiting.delete(m.id);
    clearTimeout(w.timer);
    if (m.ok) w.resolve(m);
    else w.reject(new RequestError(m.error.kind, m.error.name, m.error.text));
  }

  private ping(): void {
    if (!this.open) return;
    const sent = performance.now();
    this.request('ping')
      .then((m) => {
        const rtt = performance.now() - sent;
        this.samples.push({ rtt, offset: m.utcMs + rtt / 2 - Date.now() });
        if (this.samples.length > 8) this.samples.shift();
        this.offsetMs = this.samples.reduce((a, b) => (b.rtt < a.rtt ? b : a)).offset;
      })
      .catch((e) => {
        // Silence means that the line is dead, whatever the browser believes.
        if (e.kind === 'timeout') this.socket?.close();
      });
  }
}
