// What is drawn upon the picture in this browser alone: level grid, pixel counter, and the
// boxes that are being edited. Coordinates 0 … 1 from the top left.
export interface Box {
  x: number;
  y: number;
  w: number;
  h: number;
}

export interface EditBox {
  id: string;
  label: string;
  tone: 'plain' | 'include' | 'exclude';
  overlay?: boolean; // moved, not resized; a box of the picture as it is shown
  box: Box; // of the camera's frame, however the stream shows it
  changed: (box: Box) => void; // let go of
}

export const aids = $state({
  grid: false,
  counter: false,
  box: { x: 0.35, y: 0.35, w: 0.3, h: 0.3 } as Box,
  picking: null as null | { hint: string; done: (x: number, y: number) => void }, // of the frame
  edits: {} as Record<string, EditBox[]>, // by who edits them
});

const clamp = (v: number, lo: number, hi: number) => Math.min(hi, Math.max(lo, v));

/** Inside the picture, not smaller than that. */
export function fit(b: Box, least: number): Box {
  const w = clamp(b.w, least, 1);
  const h = clamp(b.h, least, 1);
  return { x: clamp(b.x, 0, 1 - w), y: clamp(b.y, 0, 1 - h), w, h };
}

/* ---- boxes of parameters: 0 … 9999, both ends belong to it ---- */

export const EDGE = 9999;

export function boxOf(params: Record<string, string>, prefix: string): Box {
  const v = (name: string) => Number(params[`${prefix}.${name}`] ?? 0) / EDGE;
  return { x: v('Left'), y: v('Top'), w: v('Right') - v('Left'), h: v('Bottom') - v('Top') };
}

export function paramsOf(box: Box, prefix: string): Record<string, number> {
  const v = (x: number) => Math.round(clamp(x, 0, 1) * EDGE);
  return {
    [`${prefix}.Left`]: v(box.x),
    [`${prefix}.Right`]: v(box.x + box.w),
    [`${prefix}.Top`]: v(box.y),
    [`${prefix}.Bottom`]: v(box.y + box.h),
  };
}
