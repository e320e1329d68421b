// Overlays over the camera's public calls; what the place shows is what `list` told last.
import { call } from './api';

export interface Overlay {
  identity: number;
  camera: number;
  position: string | [number, number];
  visible: boolean;
  zIndex: number;
  rotation: number;
  scalable: boolean;
  opacity: number;
  reference: 'channel' | 'scene';
  ptPosition: [number, number];
  box: [number, number, number, number]; // x, y, width, height: 0 … 1
  text?: string;
  fontSize?: number;
  textColor?: string;
  textBGColor?: string;
  textOLColor?: string;
  scrollSpeed?: number;
  wrapWidth?: number;
  overlayPath?: string;
  scale?: number;
}
export interface Picture {
  path: string;
  width: number;
  height: number;
  view: string; // an object URL of a small view
}

export const overlays = $state({
  list: [] as Overlay[],
  pictures: [] as Picture[],
  modifiers: [] as string[],
  selected: 0, // identity
});

const DYNAMIC = '/axis-cgi/dynamicoverlay/dynamicoverlay.cgi';
const MANAGE = '/axis-cgi/manageoverlayimages.cgi';

async function data(reply: Response) {
  if (!reply.ok) throw new Error(reply.statusText || `HTTP ${reply.status}`);
  const j = await reply.json();
  if (j.error) throw new Error(j.error.message);
  return j.data;
}

async function json(cgi: string, method: string, params: object = {}) {
  return data(
    await call(cgi, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ apiVersion: '1.0', method, params }),
    }),
  );
}

export async function refresh(): Promise<void> {
  const d = await json(DYNAMIC, 'list');
  overlays.list = [...d.textOverlays, ...d.imageOverlays].sort((a, b) => a.identity - b.identity);
  if (!overlays.list.some((o) => o.identity === overlays.selected)) overlays.selected = 0;
}

export async function refreshPictures(): Promise<void> {
  const d = await json(MANAGE, 'listImages');
  const known = new Map(overlays.pictures.map((p) => [p.path, p]));
  overlays.pictures = await Promise.all(
    d.files.map(async (f: Picture) => {
      const before = known.get(f.path);
      if (before) return before;
      const reply = await call(`/vedette/overlays/picture?path=${encodeURIComponent(f.path)}`);
      return { ...f, view: reply.ok ? URL.createObjectURL(await reply.blob()) : '' };
    }),
  );
}

export async function fetchModifiers(): Promise<void> {
  if (overlays.modifiers.length) return;
  const d = await data(await call('/axis-cgi/overlaymodifiers.cgi'));
  overlays.modifiers = Object.values(d.groups as Record<string, { mod: string }[]>).flatMap((g) => g.map((m) => m.mod));
}

export async function add(kind: 'text' | 'image', params: object): Promise<number> {
  const d = await json(DYNAMIC, kind === 'text' ? 'addText' : 'addImage', params);
  await refresh();
  return (overlays.selected = d.identity);
}

export async function change(o: Overlay, params: object): Promise<void> {
  await json(DYNAMIC, o.text !== undefined ? 'setText' : 'setImage', { identity: o.identity, ...params });
  await refresh();
}

export async function remove(identity: number): Promise<void> {
  await json(DYNAMIC, 'remove', { identity });
  await refresh();
}

/** What `list` tells, as `add` takes it. */
export function copyOf(o: Overlay): object {
  const { identity: _i, box: _b, ...rest } = o;
  return rest;
}

export async function upload(file: File): Promise<string> {
  const body = new FormData();
  const head = JSON.stringify({ apiVersion: '1.0', method: 'uploadOverlayImage', params: { scaleToResolution: true } });
  body.append('json', new Blob([head], { type: 'application/json' }));
  body.append('image', file, file.name);
  const d = await data(await call('/axis-cgi/uploadoverlayimage.cgi', { method: 'POST', body }));
  await refreshPictures();
  return d.path;
}

export async function removePicture(path: string): Promise<void> {
  await json(MANAGE, 'deleteImage', { path });
  await refreshPictures();
}

/** "/etc/overlays/gate.ovl" is "gate" */
export const nameOf = (path: string) => path.replace(/^.*\//, '').replace(/\.ovl$/, '');
