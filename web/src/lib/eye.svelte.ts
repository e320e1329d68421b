// What the eye (exposure, white balance, focus) does just now, and orders to it.
import { cam, listeners, socket, type ParamRow } from './camera.svelte';
import { num, t } from './i18n.svelte';
import { toast } from './toast.svelte';

export interface EyeStatus {
  exposureMs: number;
  gainDb: number;
  iris: number;
  level: number; // stops from what is wanted
  settled: boolean;
  kelvin: number | null;
  range: number;
  night: boolean;
  irCut: boolean;
  infrared: number;
  focus: number;
  focusing: boolean;
  sharpness: number | null;
  recall: number | null;
  recalls: number;
  recallMost: number;
  steadiedPx: number;
  assist: boolean;
  ledBlinkHz: number; // 0: steady
  led: 'off' | 'green' | 'amber' | 'red' | null;
  can: Record<'focus' | 'iris' | 'exposure' | 'balance' | 'filter' | 'range' | 'infrared' | 'led', boolean>;
}

export const eye = $state({ now: null as EyeStatus | null });

let watchers = 0;
listeners.eye = (m) => (eye.now = m as unknown as EyeStatus);

/** Called while a component is made: as long as it lives, eye.now is kept up to date. */
export function useEye(): void {
  $effect(() => {
    if (cam.link.kind !== 'open') return;
    if (!watchers++) socket.request('watch', { eye: true }).catch(() => {});
    return () => {
      if (!--watchers && socket.open) socket.request('watch', { eye: false }).catch(() => {});
    };
  });
}

/** Nothing is known yet, or this can be set. */
export const can = (what: keyof EyeStatus['can']) => eye.now?.can[what] ?? true;

export async function order(q: object): Promise<boolean> {
  try {
    await socket.request('eye', q);
    return true;
  } catch (e) {
    const error = e as { kind?: string; message: string };
    toast(error.kind === 'offline' ? t('ptz.offline') : t('failed', { text: error.message }), 'bad');
    return false;
  }
}

/* ---- the last value wins: while one is on its way, only the newest waits ---- */

export function newest<T>(send: (value: T) => Promise<unknown>): (value: T) => void {
  let busy = false;
  let waiting: { value: T } | null = null;
  const go = async (value: T) => {
    busy = true;
    await send(value).catch(() => {});
    busy = false;
    const next = waiting;
    waiting = null;
    if (next) void go(next.value);
  };
  return (value) => {
    if (busy) waiting = { value };
    else void go(value);
  };
}

/* ---- in the words of photographers ---- */

export function exposureText(ms: number): string {
  if (!(ms > 0)) return '–';
  if (ms >= 300) return `${num(ms / 1000, 1)} s`;
  const n = 1000 / ms;
  return `1/${num(n < 10 ? Math.round(n * 10) / 10 : Math.round(n), 0)} s`;
}

export const isOn = (row: ParamRow | undefined, value: string) => (row?.type === 'bool' ? value === 'yes' : value === 'on');
