// Privacy masks: polygons of directions in the world. The camera's own list is the truth; what is
// being dragged stands in `draft` until it is let go of.
import { call } from './api';
import { cam } from './camera.svelte';
import { unproject, type Direction } from './geometry';
import { t } from './i18n.svelte';
import { toSensor } from './shown.svelte';
import { currentLens, onScreen, shownPose } from './steer.svelte';
import { toast } from './toast.svelte';

export const GROUP = 'Image.I0.Overlay.MaskWindows';
export const MOST = 64;
export const LEAST_POINTS = 3;
export const MOST_POINTS = 10;
const PATH = '/axis-cgi/privacymask.cgi';

export interface Mask {
  id: number;
  name: string;
  enabled: boolean;
  zoom: number; // VAPIX; 0: always
  covers: boolean; // now
  points: Direction[];
}

export const masks = $state({
  list: [] as Mask[],
  loaded: false,
  denied: false,
  selected: null as number | null,
  draft: null as { id: number; points: Direction[] } | null,
  drawing: null as Direction[] | null, // point by point; null: nothing is being drawn
});

const text = (points: Direction[]) => points.map((p) => `${p.pan.toFixed(4)},${p.tilt.toFixed(4)}`).join(':');

function parse(polygon: string): Direction[] {
  return polygon.split(':').map((pair) => {
    const [pan, tilt] = pair.split(',').map(Number);
    return { pan, tilt };
  });
}

export async function load(): Promise<void> {
  const reply = await call(`${PATH}?query=listpxjson`);
  masks.denied = reply.status === 403 || reply.status === 401;
  if (!reply.ok) return;
  const { listpx } = await reply.json();
  masks.list = listpx.map((m: { id: number; name: string; enabled: boolean; zoomlowlimit: number; zoom_visible: boolean; polygon: string }) => ({
    id: m.id,
    name: m.name,
    enabled: m.enabled,
    zoom: m.zoomlowlimit,
    covers: m.zoom_visible,
    points: parse(m.polygon),
  }));
  masks.loaded = true;
}

/** A change; the camera's words when it refuses. */
async function ask(args: Record<string, string>): Promise<void> {
  const reply = await call(PATH, {
    method: 'POST',
    body: new URLSearchParams(args).toString(),
    headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
  });
  const words = (await reply.text()).trim();
  await load();
  if (words.startsWith('Error:')) throw new Error(words.slice(6).trim());
  if (!reply.ok) throw new Error(`HTTP ${reply.status}`);
}

export const pointsOf = (m: Mask): Direction[] => (masks.draft?.id === m.id ? masks.draft.points : m.points);

export async function add(name: string, points: Direction[], zoom = 0, enabled = true): Promise<void> {
  await ask({ action: 'add', name, polygon: text(points), zoomlowlimit: String(zoom), enabled: enabled ? 'yes' : 'no' });
  masks.selected = masks.list.find((m) => m.name === name)?.id ?? null;
}

/** A name that no mask has yet. */
export function freeName(): string {
  for (let n = masks.list.length + 1; ; n++) {
    const name = t('masks.new', { n });
    if (!masks.list.some((m) => m.name === name)) return name;
  }
}

/** One point more of what is being drawn. */
export function draw(at: Direction): void {
  if (masks.drawing && masks.drawing.length < MOST_POINTS) masks.drawing = [...masks.drawing, at];
}
export function undoPoint(): void {
  masks.drawing = masks.drawing?.slice(0, -1) ?? null;
}
/** What was drawn becomes a mask. What the camera refuses stays to be put right. */
export async function endDrawing(): Promise<void> {
  const points = masks.drawing;
  if (!points) return;
  if (points.length < LEAST_POINTS) {
    toast(t('masks.draw.more'));
    return;
  }
  masks.drawing = null;
  try {
    await add(freeName(), points);
  } catch (e) {
    masks.drawing = points;
    toast(t('failed', { text: (e as Error).message }), 'bad');
  }
}

export const update = (m: Mask, args: Record<string, string>) => ask({ action: 'update', name: m.name, ...args });
export const remove = (m: Mask) => ask({ action: 'remove', name: m.name });
export const look = (m: Mask) => ask({ action: 'goto', name: m.name });

export async function reshape(m: Mask, points: Direction[]): Promise<void> {
  masks.draft = { id: m.id, points };
  try {
    await update(m, { polygon: text(points) });
  } finally {
    masks.draft = null;
  }
}

/** Which direction is at a point of the picture on the screen, 0 … 1. */
export function directionAt(x: number, y: number): Direction | null {
  const pose = shownPose();
  if (!pose) return null;
  const at = toSensor({ x, y });
  return unproject(pose, currentLens(), at.x, at.y);
}

/** A rectangle in the middle of what is seen. */
export function fresh(): Direction[] {
  const corners = [
    [0.35, 0.35],
    [0.65, 0.35],
    [0.65, 0.65],
    [0.35, 0.65],
  ];
  return corners.map(([x, y]) => directionAt(x, y)).filter((d): d is Direction => !!d);
}

/** The same mask moved on the screen; null where it would leave what can be seen. */
export function shifted(points: Direction[], dx: number, dy: number): Direction[] | null {
  const moved = points.map((p) => {
    const at = onScreen(p);
    return at && directionAt(at.x + dx, at.y + dy);
  });
  return moved.every((p) => p) ? (moved as Direction[]) : null;
}

/** The zoom of now, as VAPIX counts it. */
export function zoomNow(): number {
  const most = cam.head?.zoomLimits[1] ?? 1;
  const zoom = shownPose()?.zoom ?? 1;
  return most > 1 ? Math.max(1, Math.round(1 + ((zoom - 1) / (most - 1)) * 9998)) : 1;
}
