// The stage of the virtual camera: what it can do, how it is, and the truth about the
// picture. Real cameras have none, and only administrators may direct it.
import { call } from './api';
import { cam, listeners, may, socket } from './camera.svelte';
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

export interface Scenario {
  name: string;
  title: string;
  about: string;
  place: string;
  own?: boolean; // kept by a user, so that it can be removed
}

export interface Member {
  id: string;
  model: string;
  class: string | null; // null: part of the place, such as the gate's arm
}

export interface FaultArgument {
  name: string;
  doc: string;
  unit?: string;
  min?: number;
  max?: number;
  default: number | string | boolean;
}
export interface FaultKind {
  name: string;
  doc: string;
  arguments: FaultArgument[];
}
export interface Fault {
  id: number;
  kind: string;
  on: boolean;
  from: number;
  until: number | null;
}

export interface TruthObject {
  id: string;
  class: string;
  visible: number;
  viewBox: [number, number, number, number] | null;
}

const TRUTH_STORE = 'vedette.truth';
const LOOK_MS = 1500;
const TRUTH_MS = 33;
const TRUTHS_MOST = 60;
const NEAR = 3; // pictures apart that still pass for one: the truth comes of every third

export const stage = $state({
  can: [] as StageRow[],
  values: {} as Record<string, StageValue>,
  place: '',
  scenario: null as Scenario | null, // that is played
  scenarios: [] as Scenario[],
  cast: [] as Member[],
  faults: [] as Fault[],
  faultKinds: [] as FaultKind[],
  now: 0, // seconds of the camera's own clock
  failure: '',
  over: '' as string, // seconds that changes take; empty: as usual
  showTruth: localStorage.getItem(TRUTH_STORE) === 'yes',
  truth: [] as TruthObject[],
});

const FOUND_STORE = 'vedette.stage';
let asked = $state(false);
/** Until it is known: as it was the last time, so that the menu stands still. */
export const hasStage = () =>
  asked ? stage.can.length > 0 : may('admin') && localStorage.getItem(FOUND_STORE) === 'yes';

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
  const said = (typeof why === 'string' ? why : why?.text) || r.statusText || `HTTP ${r.status}`;
  const line = /^line (\d+)$/.exec(body?.name ?? '');
  throw new Refused(line ? t('stage.line', { n: line[1], text: said }) : said);
}

function told(m: any): void {
  stage.values = m.values;
  stage.place = m.place;
  stage.scenario = m.scenario;
  if (m.cast) stage.cast = m.cast.filter((x: Member) => x.class);
  if (m.can) stage.can = m.can;
  stage.failure = '';
}

/** Asks whether there is a stage, whenever the line comes up. */
export async function findStage(): Promise<void> {
  if (!may('admin')) return;
  try {
    told(await reply('/vedette/stage'));
  } catch (e) {
    if (!(e instanceof Refused)) return; // it is away for a while
    stage.can = []; // a real camera
  }
  asked = true;
  localStorage.setItem(FOUND_STORE, stage.can.length ? 'yes' : 'no');
}

export function forgetStage(): void {
  asked = false;
  stage.can = [];
  stage.truth = [];
}

const post = (path: string, body: unknown) =>
  reply(path, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });

/** Does it; throws with the stage's own words. */
export async function direct(what: Record<string, StageValue | boolean>): Promise<void> {
  const body: Record<string, unknown> = { ...what };
  const rows = stage.can.filter((r) => r.name in what);
  if (stage.over !== '' && rows.some((r) => r.lasting === 'over')) body.over = Number(stage.over);
  told(await post('/vedette/stage', body));
}

/** All that lasts, back to how the camera began. */
export async function resetStage(): Promise<void> {
  const start: Record<string, StageValue> = {};
  for (const r of stage.can)
    if (r.lasting !== 'once' && r.default !== undefined && stage.values[r.name] !== r.default) start[r.name] = r.default;
  if (Object.keys(start).length) await direct(start);
}

/* ---- who is there ---- */

export async function listScenarios(): Promise<void> {
  stage.scenarios = (await reply('/vedette/stage/scenarios')).scenarios;
}
export async function play(what: { name: string } | { text: string }): Promise<void> {
  stage.scenario = (await post('/vedette/stage/scenario', what)).scenario;
}
const scenarioPath = (name: string) => `/vedette/stage/scenarios/${encodeURIComponent(name)}`;
/** Keeps the text in the camera, under the name that it gives itself. Returns that. */
export async function keepScenario(text: string): Promise<string> {
  const name = /^scenario[ \t]+(\S+)/m.exec(text)?.[1];
  if (!name) throw new Error(t('stage.scenario.nameless'));
  const headers = { 'Content-Type': 'application/json' };
  stage.scenarios = (await reply(scenarioPath(name), { method: 'PUT', headers, body: JSON.stringify({ text }) })).scenarios;
  return name;
}
export async function removeScenario(name: string): Promise<void> {
  stage.scenarios = (await reply(scenarioPath(name), { method: 'DELETE' })).scenarios;
}
/** Returns the id of whom it sent. */
export async function spawn(who: string): Promise<string> {
  return (await post('/vedette/stage/spawn', { who })).id;
}
export async function remove(id: string): Promise<void> {
  await post('/vedette/stage/remove', { id });
  stage.cast = stage.cast.filter((m) => m.id !== id);
}
export const gate = (what: string) => post('/vedette/stage/gate', { gate: what });

/* ---- faults on purpose ---- */

export async function listFaults(): Promise<void> {
  const m = await reply('/vedette/stage/faults');
  stage.faults = m.faults;
  stage.faultKinds = m.kinds;
  stage.now = m.now;
}
export async function startFault(what: Record<string, unknown>): Promise<void> {
  await post('/vedette/stage/faults', what);
  await listFaults();
}
export async function endFault(id: number): Promise<void> {
  await reply(`/vedette/stage/faults?id=${id}`, { method: 'DELETE' });
  await listFaults();
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
        await listFaults().catch(() => {});
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

interface Told {
  serial: number;
  objects: TruthObject[];
}
let truths: Told[] = []; // newer than what is shown: the truth comes before its picture

function choose(): void {
  const serial = view.stamp?.serial ?? Infinity; // single pictures say it at their end only
  while (truths.length > 1 && truths[1].serial <= serial) truths.shift();
  const found = truths[0];
  if (found && found.serial <= serial + NEAR) stage.truth = found.objects.filter((o) => o.viewBox);
}

/** The truth about the picture that is shown, while it is wanted and the line is open. */
export function followTruth(): () => void {
  listeners.truth = (m) => {
    truths.push(m as unknown as Told);
    if (truths.length > TRUTHS_MOST) truths.shift();
    choose();
  };
  const timer = window.setInterval(choose, TRUTH_MS);
  socket.request('watch', { truth: true }).catch((e) => (stage.failure = (e as Error).message));
  return () => {
    clearInterval(timer);
    delete listeners.truth;
    socket.request('watch', { truth: false }).catch(() => {});
    truths = [];
    stage.truth = [];
  };
}
