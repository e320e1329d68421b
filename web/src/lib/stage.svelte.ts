// The stage of the virtual camera: what it can do, how it is, and the truth about the
// picture. Real cameras have none, and only administrators may direct it.
import { call } from './api';
import { cam, may } from './camera.svelte';
import { isText, t } from './i18n.svelte';
import { view } from '../player/player.svelte';

export type StageValue = number | string;

export interface StageRow {
  name: string;
  words: string;
  group: string;
  doc: string;
  lasting: 'state' | 'over' | 'for' | 'once';
  min?: number;
  max?: number;
  unit?: string;
  choices?: string[];
  over?: number;
  default?: StageValue;
}

export interface TruthObject {
  id: string;
  class: string;
  visible: number;
  viewBox: [number, number, number, number] | null;
}

const TRUTH_STORE = 'vedette.truth';
const LOOK_MS = 1500;
const TRUTH_MS = 120;

export const stage = $state({
  can: [] as StageRow[],
  values: {} as Record<string, StageValue>,
  place: '',
  scenario: '',
  failure: '',
  over: '' as string, // seconds that changes take; empty: as usual
  showTruth: localStorage.getItem(TRUTH_STORE) === 'yes',
  truth: [] as TruthObject[],
});

export const hasStage = () => stage.can.length > 0;

class Refused extends Error {}

async function reply(path: string, init?: RequestInit): Promise<any> {
  const r = await call(path, init);
  const text = await r.text();
  let body: any = null;
  try {
    body = JSON.parse(text);
  } catch {
    // said by its status
  }
  if (r.ok && body) return body;
  const why = body?.error;
  throw new Refused((typeof why === 'string' ? why : why?.text) || r.statusText || `HTTP ${r.status}`);
}

function told(m: any): void {
  stage.values = m.values;
  stage.place = m.place;
  stage.scenario = m.scenario;
  if (m.can) stage.can = m.can;
  stage.failure = '';
}

/** Asks whether there is a stage, whenever the line comes up. */
export async function findStage(): Promise<void> {
  if (!may('admin')) return;
  try {
    told(await reply('/vedette/stage'));
  } catch (e) {
    if (e instanceof Refused) stage.can = []; // a real camera; else it is away for a while
  }
}

export function forgetStage(): void {
  stage.can = [];
  stage.truth = [];
}

/** Does it; throws with the stage's own words. */
export async function direct(what: Record<string, StageValue | boolean>): Promise<void> {
  const body: Record<string, unknown> = { ...what };
  const rows = stage.can.filter((r) => r.name in what);
  if (stage.over !== '' && rows.some((r) => r.lasting === 'over')) body.over = Number(stage.over);
  told(
    await reply('/vedette/stage', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    }),
  );
}

/** All that lasts, back to how the camera began. */
export async function resetStage(): Promise<void> {
  const start: Record<string, StageValue> = {};
  for (const r of stage.can)
    if (r.lasting !== 'once' && r.default !== undefined && stage.values[r.name] !== r.default) start[r.name] = r.default;
  if (Object.keys(start).length) await direct(start);
}

export const labelOf = (r: StageRow): string => {
  const key = `stage.row.${r.name}`;
  return isText(key) ? t(key) : r.words;
};
export const docOf = (r: StageRow): string => {
  const key = `stage.doc.${r.name}`;
  return isText(key) ? t(key) : r.doc;
};
export const wordOf = (word: string): string => {
  const key = `stage.word.${word}`;
  return isText(key) ? t(key) : word;
};

/* ---- while the place is open ---- */

/** The stage moves by itself (the sun, a scenario) and has no line of its own: it is asked
 * as long as somebody looks. Returns how to end that. */
export function followStage(): () => void {
  let ended = false;
  let timer = 0;
  const look = async () => {
    if (!document.hidden && cam.link.kind === 'open') {
      try {
        told(await reply('/vedette/stage'));
      } catch (e) {
        stage.failure = (e as Error).message;
      }
    }
    if (!ended) timer = window.setTimeout(look, LOOK_MS);
  };
  void look();
  return () => {
    ended = true;
    clearTimeout(timer);
  };
}

export function setShowTruth(on: boolean): void {
  stage.showTruth = on;
  localStorage.setItem(TRUTH_STORE, on ? 'yes' : 'no');
}

/** The truth about the picture that is shown, while it is wanted. */
export function followTruth(): () => void {
  let ended = false;
  let timer = 0;
  const look = async () => {
    if (!document.hidden && view.kind === 'live') {
      const serial = view.stamp?.serial;
      try {
        const m = await reply('/vedette/stage/truth' + (serial !== undefined ? `?serial=${serial}` : ''));
        if (!ended) stage.truth = m.objects.filter((o: TruthObject) => o.viewBox);
      } catch {
        stage.truth = []; // that picture is forgotten; the next one is asked for soon
      }
    }
    if (!ended) timer = window.setTimeout(look, TRUTH_MS);
  };
  void look();
  return () => {
    ended = true;
    clearTimeout(timer);
    stage.truth = [];
  };
}
