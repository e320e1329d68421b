// What the page knows of the camera: one reactive state, fed by one WebSocket.
import * as api from './api';
import type { Lens } from './geometry';
import { CameraSocket, type LinkState, type Message } from './socket';

export interface Head {
  pan: boolean;
  tilt: boolean;
  zoom: boolean;
  digital: boolean;
  panLimits: [number, number];
  tiltLimits: [number, number];
  zoomLimits: [number, number];
  maxSpeed: { pan: number; tilt: number; zoom: number };
  wideHfov: number;
  teleHfov: number;
}

export interface Position {
  pan: number;
  tilt: number;
  zoom: number;
  hfov: number;
  moving: boolean;
  limits: string[];
  target: { pan: number; tilt: number; zoom: number };
}

export interface ParamRow {
  type: 'bool' | 'int' | 'double' | 'enum' | 'string' | 'secret';
  doc: string;
  writable: boolean;
  min?: number;
  max?: number;
  maxLength?: number;
  choices?: string[];
  unit?: string;
  default?: string;
}

export interface ServerStream {
  path: string;
  transport: string;
  pictures: number;
  lostPictures: number;
}

export const cam = $state({
  phase: 'starting' as 'starting' | 'unreachable' | 'setup' | 'login' | 'ready',
  session: null as api.Session | null,
  link: { kind: 'closed' } as LinkState,
  told: false, // what it is, by its first message
  head: null as Head | null,
  position: null as Position | null,
  params: {} as Record<string, string>,
  rows: {} as Record<string, ParamRow>,
  streams: [] as ServerStream[],
  resolutions: [] as string[],
  noSignal: false,
  expired: false,
});

export const may = (group: string) => !!cam.session?.groups.includes(group);
export const mayMove = () => may('ptz') && !!cam.head;

/** Who hears messages that only one place of the page has asked for. */
export const listeners: Record<string, (m: Message) => void> = {};

function heard(m: Message): void {
  if (m.type === 'hello') {
    cam.told = true;
    cam.head = m.head;
    cam.resolutions = m.resolutions;
    if (cam.session) cam.session.groups = m.you.groups;
  } else if (m.type === 'head') {
    cam.head = m.head;
  } else if (m.type === 'position') {
    cam.position = m as unknown as Position;
  } else if (m.type === 'params') {
    for (const [name, value] of Object.entries(m.values)) {
      if (value === null) delete cam.params[name]; // its group is gone
      else cam.params[name] = value as string;
    }
  } else if (m.type === 'streams') {
    cam.streams = m.streams;
  } else if (m.type === 'event' && m.topic.endsWith('SignalLoss')) {
    cam.noSignal = Object.values(m.data).some((v) => v === '1' || v === 'true');
  } else {
    listeners[m.type]?.(m);
  }
}

export const socket = new CameraSocket({
  state: (s) => (cam.link = s),
  message: heard,
  lost: async () => {
    try {
      const s = await api.session();
      if (s.user) return true;
      leave(s, true);
      return false;
    } catch {
      return true; // the camera is away; it may come back
    }
  },
});

export const serverNow = () => Date.now() + socket.offsetMs;
export const lens = (aspect: number): Lens => ({ wideHfov: cam.head?.wideHfov ?? 60, aspect });

function leave(s: api.Session, expired: boolean): void {
  socket.stop();
  cam.session = s;
  cam.expired = expired;
  cam.position = null;
  cam.phase = s.needsetup ? 'setup' : 'login';
}

/** Asks who we are and goes where that leads. */
export async function begin(): Promise<void> {
  try {
    const s = await api.session();
    cam.session = s;
    if (s.needsetup) cam.phase = 'setup';
    else if (!s.user) cam.phase = 'login';
    else {
      cam.phase = 'ready';
      cam.expired = false;
      socket.start();
    }
  } catch {
    cam.phase = 'unreachable';
    setTimeout(begin, 2000);
  }
}

export async function logIn(user: string, password: string): Promise<void> {
  await api.login(user, password);
  await begin();
}

export async function logOut(): Promise<void> {
  socket.stop();
  await api.logout().catch(() => {});
  leave(await api.session(), false);
}

/** Fetches parameters and what is known about them into the state. */
export async function fetchParams(names: string[]): Promise<void> {
  const get = () => socket.request('get', { names, describe: true });
  const m = await get().catch((e) => {
    if (e.kind !== 'timeout') throw e;
    return get(); // a busy camera, or a busy browser
  });
  Object.assign(cam.params, m.values);
  Object.assign(cam.rows, m.rows);
}

/** Told before a setting of the picture is changed from this page. */
export const onSetting: { image?: () => void } = {};

export async function setParams(values: Record<string, string | number | boolean>): Promise<void> {
  if (Object.keys(values).some((name) => name.startsWith('ImageSource.I0.'))) onSetting.image?.();
  await socket.request('set', { values });
}

/** Waits until the socket is open; false after the time is over. */
export function linked(ms: number): Promise<boolean> {
  return new Promise((resolve) => {
    const end = Date.now() + ms;
    const look = () => {
      if (socket.open) resolve(true);
      else if (Date.now() > end) resolve(false);
      else setTimeout(look, 50);
    };
    look();
  });
}
