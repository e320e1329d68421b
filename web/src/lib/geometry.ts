// Directions and pictures. Angles in degrees: pan clockwise seen from above, tilt up
// positive; picture coordinates 0…1 from the top left. Rectilinear lens, no roll.

export interface Pose {
  pan: number;
  tilt: number;
  zoom: number;
}
export interface Direction {
  pan: number;
  tilt: number;
}
export interface Lens {
  wideHfov: number;
  aspect: number;
}

const RAD = Math.PI / 180;
const clamp = (x: number, lo: number, hi: number) => Math.min(hi, Math.max(lo, x));

export const wrap = (pan: number) => ((((pan + 180) % 360) + 360) % 360) - 180;

/** Half the picture's width on the plane one unit ahead. */
const half = (lens: Lens, zoom: number) => Math.tan((lens.wideHfov / 2) * RAD) / zoom;


export function unproject(pose: Pose, lens: Lens, x: number, y: number): Direction {
  const w = half(lens, pose.zoom);
  const a = (2 * x - 1) * w;
  const b = ((1 - 2 * y) * w) / lens.aspect;
  const t = pose.tilt * RAD;
  const forward = Math.cos(t) - b * Math.sin(t);
  const up = Math.sin(t) + b * Math.cos(t);
  return {
    pan: wrap(pose.pan + Math.atan2(a, forward) / RAD),
    tilt: Math.atan2(up, Math.hypot(a, forward)) / RAD,
  };
}

/** Where a direction lies in the picture; null behind the camera. */
export function project(pose: Pose, lens: Lens, d: Direction): { x: number; y: number } | null {
  const w = half(lens, pose.zoom);
  const p = (d.pan - pose.pan) * RAD;
  const t = pose.tilt * RAD;
  const e = d.tilt * RAD;
  const ahead = Math.cos(e) * Math.cos(p);
  const z = ahead * Math.cos(t) + Math.sin(e) * Math.sin(t);
  if (z < 1e-6) return null;
  const x = (Math.cos(e) * Math.sin(p)) / z;
  const y = (Math.sin(e) * Math.cos(t) - ahead * Math.sin(t)) / z;
  return { x: 0.5 + x / w / 2, y: 0.5 - (y * lens.aspect) / w / 2 };
}

/** The pose at this zoom that shows direction d at the point (x, y) of the picture. */
export function poseShowing(d: Direction, zoom: number, lens: Lens, x: number, y: number): Pose {
  const w = half(lens, zoom);
  const a = (2 * x - 1) * w;
  const b = ((1 - 2 * y) * w) / lens.aspect;
  const length = Math.sqrt(1 + a * a + b * b);
  const s = (length * Math.sin(d.tilt * RAD)) / Math.sqrt(1 + b * b);
  const t = Math.asin(clamp(s, -1, 1)) - Math.atan(b);
  const ahead = Math.cos(t) - b * Math.sin(t);
  return { pan: wrap(d.pan - Math.atan2(a, ahead) / RAD), tilt: t / RAD, zoom };
}

/** Angle between two directions. */
export function between(a: Direction, b: Direction): number {
  const c =
    Math.sin(a.tilt * RAD) * Math.sin(b.tilt * RAD) +
    Math.cos(a.tilt * RAD) * Math.cos(b.tilt * RAD) * Math.cos((a.pan - b.pan) * RAD);
  return Math.acos(clamp(c, -1, 1)) / RAD;
}
