// The picture as it was before a setting was changed, to be held against the one of now.
import { grab } from '../player/player.svelte';
import { cam, onSetting } from './camera.svelte';

const SAME_MS = 4000; // changes that follow so soon belong together
const SAME_VIEW = 0.05; // of the view's width: else it shows something else

export const before = $state({
  picture: null as HTMLCanvasElement | null,
  held: false,
});

let changedAt = -Infinity;
let pose: { pan: number; tilt: number; hfov: number } | null = null;

onSetting.image = () => {
  const now = performance.now();
  const fresh = !before.picture || now - changedAt > SAME_MS;
  changedAt = now;
  if (!fresh) return;
  before.picture = grab();
  pose = cam.position && { pan: cam.position.pan, tilt: cam.position.tilt, hfov: cam.position.hfov };
};

/** The camera looks elsewhere now: nothing to compare with. */
export function forgetWhenMoved(): void {
  const p = cam.position;
  if (!before.picture || !pose || !p) return;
  const most = SAME_VIEW * pose.hfov;
  const pan = Math.abs(((p.pan - pose.pan + 540) % 360) - 180);
  if (pan > most || Math.abs(p.tilt - pose.tilt) > most || Math.abs(p.hfov - pose.hfov) > most) {
    before.picture = null;
    before.held = false;
  }
}

export function hold(on: boolean): void {
  before.held = on && !!before.picture;
}
