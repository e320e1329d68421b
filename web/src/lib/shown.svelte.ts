// Between the picture on the screen and the camera's frame: the stream may be turned, mirrored
// and of another shape, then it shows the largest middle part that has its shape. Coordinates
// 0 … 1 from the top left.
import { view } from '../player/player.svelte';
import { cam } from './camera.svelte';

export interface Shape {
  rotation: number; // of the stream: 0, 90, 180, 270, clockwise
  mirror: boolean;
  aspect: number; // of the stream's picture as it is shown
  frame: number; // aspect of the camera's frame, or of what a view area shows of it
}
export interface Point {
  x: number;
  y: number;
}
export interface Rect extends Point {
  w: number;
  h: number;
}

export function frameAspect(): number {
  const [w, h] = (cam.resolutions[0] ?? '').split('x').map(Number);
  return w > 0 && h > 0 ? w / h : 16 / 9;
}

export function shape(): Shape {
  const aspect = view.width && view.height ? view.width / view.height : frameAspect();
  const frame = view.channel === 1 ? frameAspect() : view.rotation % 180 ? 1 / aspect : aspect;
  return { rotation: view.rotation, mirror: view.mirror, aspect, frame };
}

/** The part of the frame that is shown. */
function part(s: Shape): [number, number] {
  const aspect = s.rotation % 180 ? 1 / s.aspect : s.aspect;
  const close = Math.abs(aspect / s.frame - 1) <= 0.01; // such a picture is stretched
  return close ? [1, 1] : [Math.min(1, aspect / s.frame), Math.min(1, s.frame / aspect)];
}

export function toFrame(s: Shape, { x, y }: Point): Point {
  const [w, h] = part(s);
  const vx = s.mirror ? 1 - x : x;
  const [fx, fy] = s.rotation === 90 ? [y, 1 - vx] : s.rotation === 180 ? [1 - vx, 1 - y] : s.rotation === 270 ? [1 - y, vx] : [vx, y];
  return { x: 0.5 + (fx - 0.5) * w, y: 0.5 + (fy - 0.5) * h };
}

export function fromFrame(s: Shape, { x, y }: Point): Point {
  const [w, h] = part(s);
  const fx = 0.5 + (x - 0.5) / w;
  const fy = 0.5 + (y - 0.5) / h;
  const [vx, vy] = s.rotation === 90 ? [1 - fy, fx] : s.rotation === 180 ? [1 - fx, 1 - fy] : s.rotation === 270 ? [fy, 1 - fx] : [fx, fy];
  return { x: s.mirror ? 1 - vx : vx, y: vy };
}

function span(a: Point, b: Point): Rect {
  return { x: Math.min(a.x, b.x), y: Math.min(a.y, b.y), w: Math.abs(a.x - b.x), h: Math.abs(a.y - b.y) };
}
export const boxToFrame = (s: Shape, b: Rect): Rect => span(toFrame(s, b), toFrame(s, { x: b.x + b.w, y: b.y + b.h }));
export const boxFromFrame = (s: Shape, b: Rect): Rect => span(fromFrame(s, b), fromFrame(s, { x: b.x + b.w, y: b.y + b.h }));

/* ---- the sensor: the frame before it was turned because of how the camera hangs ---- */

const turned = () => cam.params['ImageSource.I0.SourceRotation'] === '180';
const turn = (p: Point): Point => (turned() ? { x: 1 - p.x, y: 1 - p.y } : p);

export const toSensor = (p: Point): Point => turn(toFrame(shape(), p));
export const fromSensor = (p: Point): Point => fromFrame(shape(), turn(p));

/** A push on the screen, right and up, as one of the upright frame. */
export function pushToFrame(right: number, up: number): [number, number] {
  const x = view.mirror ? -right : right;
  return view.rotation === 90 ? [-up, x] : view.rotation === 180 ? [-x, -up] : view.rotation === 270 ? [up, -x] : [x, up];
}
