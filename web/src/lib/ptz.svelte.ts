// Presets, tours, and who controls the camera: as the camera tells them, and orders.
import { cam, listeners, socket } from './camera.svelte';
import { t } from './i18n.svelte';
import type { Message } from './socket';
import { toast } from './toast.svelte';

export interface Preset {
  number: number;
  name: string;
  pan: number;
  tilt: number;
  zoom?: number;
  focus: boolean;
  image: boolean;
}
export interface Step {
  id: number;
  preset: number;
  waitS: number;
  speed: number;
}
export interface Tour {
  id: number;
  name: string;
  running: boolean;
  random: boolean;
  pauseMin: number;
  steps: Step[];
  state: 'idle' | 'waits' | 'goes' | 'looks' | 'pauses';
  step: number;
  due: string | null;
}
export interface Recording {
  id: number;
  name: string;
  delayS: number;
  state: 'idle' | 'records' | 'loads' | 'waits' | 'held' | 'goes' | 'plays' | 'pauses';
}
export interface Control {
  on: boolean;
  user: string;
  group: string;
  position: number;
  waiting: number;
}
export interface PtzStatus {
  presets: Preset[];
  home: number;
  on: number;
  to: number;
  tours: Tour[];
  recordings: Recording[];
  control: Control;
}

export const ptz = $state({ now: null as PtzStatus | null });

let watchers = 0;
listeners.ptz = (m) => (ptz.now = m as unknown as PtzStatus);

/** Called while a component is made: as long as it lives, ptz.now is kept up to date. */
export function usePtz(): void {
  $effect(() => {
    if (cam.link.kind !== 'open' || !cam.head) return;
    if (!watchers++) socket.request('watch', { ptz: true }).catch(() => {});
    return () => {
      if (!--watchers && socket.open) socket.request('watch', { ptz: false }).catch(() => {});
    };
  });
}

export function complain(e: unknown): void {
  const error = e as { kind?: string; message: string };
  toast(error.kind === 'offline' ? t('ptz.offline') : t('failed', { text: error.message }), 'bad');
}

/** The answer, or null and a note that says why not. */
export async function order(what: string, args: object): Promise<Message | null> {
  try {
    return await socket.request(what, args);
  } catch (e) {
    complain(e);
    return null;
  }
}

export const goPreset = (number: number) => void order('preset', { go: number });
export const nameOf = (number: number) => ptz.now?.presets.find((p) => p.number === number)?.name ?? String(number);
