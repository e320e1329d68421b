// Channels: the whole picture and the view areas that are cut from it (parameters Image.I#).
import type { Box } from './aids.svelte';
import { cam, fetchParams, setParams } from './camera.svelte';
import { player, view } from '../player/player.svelte';

export const MOST = 9;
const LEAST = 0.0625; // of the picture
const ptz = (channel: number) => `PTZ.ImageSource.I${channel - 1}.PTZEnabled`;
const of = (channel: number, leaf: string) => `Image.I${channel - 1}.${leaf}`;
const share = (v: number) => Math.round(v * 1e4) / 1e4;

export const enabled = (channel: number) => channel === 1 || cam.params[of(channel, 'Enabled')] === 'yes';
export const nameOf = (channel: number) => cam.params[of(channel, 'Name')] || String(channel);
export const channels = () => Array.from({ length: MOST }, (_, i) => i + 1).filter(enabled);
/** The channel whose settings the pages show; one that is not there any more gives way to 1. */
export const settings = $state({ channel: 1 });
export const settled = () => (enabled(settings.channel) ? settings.channel : 1);
/** Branch of its settings, as "Image.I0.". */
export const branch = () => of(settled(), '');
export const writable = () => cam.rows[of(2, 'Enabled')]?.writable ?? false;

export function boxOf(channel: number): Box {
  const v = (leaf: string) => Number(cam.params[of(channel, `Geometry.${leaf}`)] ?? 0);
  return { x: v('X'), y: v('Y'), w: v('Width'), h: v('Height') };
}

export const place = (channel: number, b: Box) =>
  setParams({
    [of(channel, 'Geometry.X')]: share(b.x),
    [of(channel, 'Geometry.Y')]: share(b.y),
    [of(channel, 'Geometry.Width')]: Math.max(LEAST, share(b.w)),
    [of(channel, 'Geometry.Height')]: Math.max(LEAST, share(b.h)),
  });
export const rename = (channel: number, name: string) => setParams({ [of(channel, 'Name')]: name });
export const moves = (channel: number) => cam.params[ptz(channel)] === 'true';
export const setMoves = (channel: number, on: boolean) => setParams({ [ptz(channel)]: on ? 'true' : 'false' });

export async function setEnabled(channel: number, on: boolean): Promise<void> {
  await setParams({ [of(channel, 'Enabled')]: on ? 'yes' : 'no' });
  if (!on && view.channel === channel) player.channel(1);
}

export const fetchViews = () => fetchParams(['Image.I*.Enabled', 'Image.I*.Name', 'Image.I*.Geometry.*', 'PTZ.ImageSource.I*.PTZEnabled']);
