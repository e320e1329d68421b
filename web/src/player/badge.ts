// What the player is at, in a word: for the badge and the messages over the picture.
import { cam } from '../lib/camera.svelte';
import { t } from '../lib/i18n.svelte';
import { view } from './player.svelte';

export interface Badge {
  kind: 'live' | 'warn' | 'bad' | 'idle';
  text: string;
}

export function badge(): Badge {
  if (cam.noSignal && view.kind === 'live') return { kind: 'bad', text: t('player.nosignal') };
  if (view.kind === 'live') return { kind: 'live', text: t('player.live') };
  if (view.kind === 'waiting') return { kind: 'warn', text: t('player.waiting', { n: view.seconds }) };
  return { kind: view.kind === 'stalled' ? 'warn' : 'idle', text: t(`player.${view.kind}`) };
}
