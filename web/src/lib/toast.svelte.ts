// Short notes at the bottom of the page: what happened, and how to undo it.
import { t } from './i18n.svelte';

export interface Toast {
  id: number;
  text: string;
  kind: 'good' | 'bad';
  undo?: () => void;
}

export const toasts = $state({ list: [] as Toast[] });
const LINGER_MS = 1500; // after a hand has left them
let next = 1;
let held = false;
let over = new Set<number>(); // their time was over while they were held

export function dismiss(id: number): void {
  toasts.list = toasts.list.filter((x) => x.id !== id);
  if (!toasts.list.length) held = false; // what is gone is not left by a pointer
}

function end(id: number): void {
  if (held) over.add(id);
  else dismiss(id);
}

/** A pointer or the focus is on them: none of them goes, so that none moves under the hand. */
export function hold(on: boolean): void {
  held = on;
  if (on) return;
  const late = over;
  over = new Set();
  setTimeout(() => late.forEach(end), LINGER_MS);
}

export function toast(text: string, kind: 'good' | 'bad' = 'good', undo?: () => void): void {
  if (toasts.list.some((x) => x.text === text && !undo)) return;
  const id = next++;
  toasts.list = [...toasts.list.slice(-2), { id, text, kind, undo }];
  setTimeout(() => end(id), undo ? 10000 : kind === 'bad' ? 6000 : 3000);
}

/** Does it; says why if it cannot be done. */
export async function attempt(work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (e) {
    toast(t('failed', { text: (e as Error).message }), 'bad');
  }
}
