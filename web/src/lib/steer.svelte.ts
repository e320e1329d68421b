// From gestures to moves. What is asked for is drawn at once; a held move is renewed
// every 300 ms and stopped by everything that might mean "let go".
import { view } from '../player/player.svelte';
import { cam, lens, mayMove, socket } from './camera.svelte';
import { frameAspect, fromSensor, pushToFrame, shape, toFrame, toSensor } from './shown.svelte';
import { between, poseShowing, project, unproject, wrap, type Direction, type Pose } from './geometry';
import { t } from './i18n.svelte';
import { toast } from './toast.svelte';

const RENEW_MS = 300;
const SEND_MS = 80;
const BURST_MS = 450;
const GOING_MS = 3000; // so long a further step counts from where an earlier one leads
const MODE_STORE = 'vedette.mode';
const clamp = (x: number, lo: number, hi: number) => Math.min(hi, Math.max(lo, x));

export const steer = $state({
  mode: (localStorage.getItem(MODE_STORE) || 'centre') as 'centre' | 'stick',
  arrow: null as { x0: number; y0: number; x: number; y: number } | null,
  box: null as { x: number; y: number; w: number; h: number } | null,
  target: null as Pose | null,
  holding: false,
});

export function setMode(mode: 'centre' | 'stick'): void {
  steer.mode = mode;
  localStorage.setItem(MODE_STORE, mode);
}

const now = () => performance.now();

/** The pose of the picture on the screen, else the newest one known. */
export function shownPose(): Pose | null {
  return view.stamp?.pose ?? cam.position;
}

export const currentLens = () => lens(frameAspect());

/** Where a direction lies in the picture on the screen. */
export function onScreen(d: Direction) {
  const pose = shownPose();
  const at = pose && !area() ? project(pose, currentLens(), d) : null;
  return at && fromSensor(at);
}

function complain(e: unknown): void {
  const error = e as { kind?: string; message: string };
  if (error.kind === 'timeout') return;
  toast(error.kind === 'offline' ? t('ptz.offline') : t('failed', { text: error.message }), 'bad');
}

/** What is ordered goes to the channel on the screen. */
const area = () => view.channel > 1;
function send(what: string, args: object = {}): void {
  socket.request(what, area() ? { ...args, camera: view.channel } : args).catch(complain);
}

/** A view area is told what of its picture is to be in the middle, and how much larger. */
function look(at: { x: number; y: number }, zoomBy = 1): void {
  if (!mayMove()) return;
  release();
  send('center', { ...toFrame(shape(), at), zoomBy });
}

/* ---- going to a place ---- */

let pending: Pose | null = null;
let sentAt = 0;
let sendTimer = 0;
let aimedAt = 0;

function within(p: Pose): Pose {
  const h = cam.head!;
  const endless = h.panLimits[1] - h.panLimits[0] >= 360;
  return {
    pan: endless ? wrap(p.pan) : clamp(wrap(p.pan), ...h.panLimits),
    tilt: clamp(p.tilt, ...h.tiltLimits),
    zoom: clamp(p.zoom, ...h.zoomLimits),
  };
}

export function goTo(pose: Pose, show = true): void {
  if (!mayMove()) return;
  release();
  pending = within(pose);
  steer.target = show ? pending : null;
  aimedAt = now();
  clearTimeout(settler);
  settle();
  const wait = sentAt + SEND_MS - now();
  clearTimeout(sendTimer);
  if (wait <= 0) flush();
  else sendTimer = window.setTimeout(flush, wait);
}

function flush(): void {
  if (!pending) return;
  sentAt = now();
  send('goto', { pan: pending.pan, tilt: pending.tilt, zoom: pending.zoom });
  pending = null;
}

/** Drops the cross once the camera is there; for all to see, half a second at least. */
function settle(): void {
  const p = cam.position;
  if (!steer.target) return;
  const age = now() - aimedAt;
  const there = p && between(p, steer.target) < 0.02 + 0.05 / p.zoom;
  if ((age > 600 && p && !p.moving && (there || age > 1500)) || age > 12000) steer.target = null;
  else settler = window.setTimeout(settle, 150);
}
let settler = 0;

export function centre(x: number, y: number): void {
  if (area()) return look({ x, y });
  const pose = shownPose();
  if (!pose) return;
  const at = toSensor({ x, y });
  const d = unproject(pose, currentLens(), at.x, at.y);
  goTo({ ...d, zoom: pose.zoom });
}

export function areaZoom(box: { x: number; y: number; w: number; h: number }, out: boolean): void {
  const pose = shownPose();
  const part = Math.max(box.w, box.h);
  if (area()) return look({ x: box.x + box.w / 2, y: box.y + box.h / 2 }, out ? part : 1 / part);
  if (!pose) return;
  const at = toSensor({ x: box.x + box.w / 2, y: box.y + box.h / 2 });
  const d = unproject(pose, currentLens(), at.x, at.y);
  goTo({ ...d, zoom: out ? pose.zoom * part : pose.zoom / part });
}

export function home(): void {
  if (!mayMove()) return;
  release();
  steer.target = burst = null;
  send('home');
}

/* ---- zoom about a point; a burst of wheel steps is one move ---- */

let burst: { x: number; y: number; anchor: Direction; zoom: number; at: number } | null = null;

/** at: ms, when the wheel turned; a machine that is late hears of it later. */
export function zoomAbout(atX: number, atY: number, factor: number, at: number): void {
  if (area()) return zoomBy(factor);
  const { x, y } = toSensor({ x: atX, y: atY });
  const pose = shownPose();
  if (!mayMove() || !pose) return;
  const age = burst ? at - burst.at : Infinity;
  const going = age <= BURST_MS || (age <= GOING_MS && !!cam.position?.moving);
  const fresh = !going || Math.hypot(burst!.x - x, burst!.y - y) > 0.03;
  if (fresh) {
    const from = going ? burst!.zoom : pose.zoom;
    burst = { x, y, anchor: unproject(pose, currentLens(), x, y), zoom: from, at: 0 };
  }
  const b = burst!;
  b.at = at;
  const zoom = clamp(b.zoom * factor, ...cam.head!.zoomLimits);
  if (zoom === b.zoom) return;
  b.zoom = zoom;
  goTo(poseShowing(b.anchor, zoom, currentLens(), x, y), false);
}

export function zoomTo(zoom: number): void {
  if (!mayMove()) return;
  release();
  zoomPending = clamp(zoom, ...cam.head!.zoomLimits);
  if (!zoomTimer)
    zoomTimer = window.setTimeout(() => {
      zoomTimer = 0;
      send('goto', { zoom: zoomPending });
    }, SEND_MS);
}
let zoomPending = 1;
let zoomTimer = 0;

export function zoomBy(factor: number): void {
  if (area()) {
    if (mayMove()) send('relative', { zoomBy: factor });
    return;
  }
  const p = cam.position;
  if (p) zoomTo(p.target.zoom * factor);
}

/* ---- taking hold of the scene (touch) ---- */

export interface Grip {
  anchor: Direction;
  zoom: number;
}

export function grip(atX: number, atY: number): Grip | null {
  const pose = area() ? null : shownPose();
  const { x, y } = toSensor({ x: atX, y: atY });
  return pose && mayMove() ? { anchor: unproject(pose, currentLens(), x, y), zoom: pose.zoom } : null;
}

export function dragGrip(g: Grip, atX: number, atY: number, zoomFactor = 1): void {
  const { x, y } = toSensor({ x: atX, y: atY });
  const zoom = clamp(g.zoom * zoomFactor, ...cam.head!.zoomLimits);
  goTo(poseShowing(g.anchor, zoom, currentLens(), x, y), false);
}

/* ---- holding the stick ---- */

let speed = { pan: 0, tilt: 0, zoom: 0 };
let renewer = 0;
let heldAt = 0;

/** The deflection at which the widest view moves by about its own width a second. The
 * camera makes it finer near the middle, v·(¼+¾|v|), and slower as the view narrows. */
function fullDeflection(degreesPerSecond: number, most: number): number {
  const part = Math.min(1, degreesPerSecond / Math.max(1, most));
  return (Math.sqrt(0.0625 + 3 * part) - 0.25) / 1.5;
}

/** Deflections −1…1, to the right and up on the screen. */
export function hold(right: number, up: number, zoom: number): void {
  if (!mayMove()) return;
  const [pan, tilt] = pushToFrame(right, up); // how the camera hangs it sees to itself
  const { maxSpeed, wideHfov } = cam.head!;
  speed = {
    pan: clamp(pan, -1, 1) * fullDeflection(wideHfov * 1.1, maxSpeed.pan),
    tilt: clamp(tilt, -1, 1) * fullDeflection(wideHfov * 0.9, maxSpeed.tilt),
    zoom: clamp(zoom, -1, 1),
  };
  steer.target = null;
  pending = burst = null;
  if (!steer.holding) {
    steer.holding = true;
    renew();
    renewer = window.setInterval(renew, RENEW_MS);
  } else if (now() - heldAt > SEND_MS) {
    renew();
  }
}

function renew(): void {
  heldAt = now();
  if (!socket.open) {
    release();
    return;
  }
  send('move', speed);
}

/** Lets go. Safe to call at any time; stops only what we hold. */
export function release(): void {
  steer.arrow = null;
  if (!steer.holding) return;
  steer.holding = false;
  clearInterval(renewer);
  if (socket.open) send('stop');
}

window.addEventListener('blur', release);
window.addEventListener('pagehide', release);
document.addEventListener('visibilitychange', () => document.hidden && release());
