// Where coded pictures go to be seen. Three sinks share this face.
import type { Picture, Stamp } from './h264';

export interface Shown {
  width: number;
  height: number;
  stamp: Stamp | null;
}

export interface Sink {
  /** Pictures handed in that nobody saw. */
  dropped: number;
  push(p: Picture): void;
  close(): void;
}

export interface SinkHooks {
  shown(s: Shown): void;
  failed(why: string): void;
}

/** RTP's 32 bits become a time that only grows, in microseconds. */
export class Timeline {
  private last = -1;
  private total = 0;
  constructor(private readonly clock: number) {}
  ticks(rtp: number): number {
    if (this.last >= 0) this.total += (rtp - this.last) | 0;
    this.last = rtp;
    return this.total;
  }
  us(rtp: number): number {
    return Math.round((this.ticks(rtp) * 1e6) / this.clock);
  }
}
