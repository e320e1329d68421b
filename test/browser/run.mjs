// The web page in a real browser.
//
// usage: node run.mjs [http://…] [PATTERN] [--part=K/N]
//
// Without an address a camera is started: the program named by VEDETTED, else
// build/vedetted. An address must be a camera's HTTP port, fresh from the factory.
// PATTERN picks tests by name (those they need run as well), --part=1/2 every other one: two of
// these, each with its camera and browser, run beside each other. VEDETTE_PICTURES: a
// folder for pictures of every page. VEDETTE_FAILURES: a folder for what failed tests
// saw last. Prints "ok NAME" or "not ok NAME" a line.
//
// A test waits for what it expects, however slow the machine: nothing is checked at once after a
// click. It begins with the settings of delivery, whatever the one before it did: settings, pages
// and what its `after` names are put back by the runner, also when it fails.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { here } from './lib.mjs';

if (!existsSync(join(here, 'node_modules/playwright-core')))
  execFileSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: here, stdio: 'inherit' });

const { chromium } = await import('playwright-core');
const { ask, check, keepSettings, PATIENCE, startCamera, still, until } = await import('./lib.mjs');
const { startTests } = await import('./start.mjs');
const { liveTests } = await import('./live.mjs');
const { clientTests } = await import('./clients.mjs');
const { imageTests } = await import('./image.mjs');
const { audioTests } = await import('./audio.mjs');
const { maskTests } = await import('./masks.mjs');
const { ptzTests } = await import('./ptz.mjs');
const { overlayTests } = await import('./overlays.mjs');
const { stageTests } = await import('./stage.mjs');
const { streamTests } = await import('./stream.mjs');
const { viewTests } = await import('./views.mjs');
const require = createRequire(import.meta.url);
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

const args = process.argv.slice(2);
const [part, parts] = (args.find((a) => /^--part=\d+\/\d+$/.test(a)) ?? '--part=1/1').slice(7).split('/').map(Number);
const address = args.find((a) => /^https?:/.test(a));
const pattern = new RegExp(args.find((a) => !/^https?:|^--/.test(a)) ?? '');
const pictures = process.env.VEDETTE_PICTURES;
const program = process.env.VEDETTED || join(here, '../../build/vedetted');
const admin = { user: 'root', password: 'Correct-horse-7' };
const viewer = { user: 'vera', password: 'viewPass.33' };

const camera = address ? null : await startCamera(program);
const base = address ?? `http://127.0.0.1:${camera.http}/`;
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
  headless: true,
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--use-fake-device-for-media-stream', // its microphone beeps
    '--use-fake-ui-for-media-stream',
  ],
});

/* ---- pages ---- */

const errors = []; // of all pages: nothing may be thrown, nothing blocked by the CSP
const orders = new WeakMap(); // what a page asked of the camera over its WebSocket
const shared = new Map(); // contexts by their options: the page's files are fetched once
const logins = new Map(); // what a browser keeps of a login on plain HTTP, by user

async function newContext(options) {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 800 },
    locale: 'en-GB',
    timezoneId: 'Europe/Stockholm',
    colorScheme: 'dark',
    ignoreHTTPSErrors: true,
    acceptDownloads: true,
    ...options,
  });
  context.setDefaultTimeout(PATIENCE);
  return context;
}

async function newPage(context, at) {
  const page = await context.newPage();
  page.on('pageerror', (e) => errors.push(e.message));
  orders.set(page, []);
  page.on('websocket', (s) =>
    s.on('framesent', ({ payload }) => typeof payload === 'string' && payload[0] === '{' && orders.get(page).push(JSON.parse(payload).do)),
  );
  page.on('console', (m) => {
    if (m.type() === 'error' && /Content Security Policy|Refused to/.test(m.text())) errors.push(m.text());
  });
  await page.goto(at);
  return page;
}

/** A page in a browser that has never been here. */
const open = async (at = base, options = {}) => newPage(await newContext(options), at);

async function logIn(page, { user, password }) {
  await page.fill('#user', user);
  await page.fill('#password', password);
  await page.click('button.primary');
}

/** A page that is logged in and shows pictures. Each user types the password once; what the browser
 * kept of that is given to later pages, which remember nothing else. */
async function openLive(at = base, options = {}, who = admin) {
  const kept = at === base && logins.get(who.user);
  let page;
  if (kept) {
    page = await newPage(await loggedIn(options, who, kept), at);
  } else {
    page = await open(at, options);
    await logIn(page, who);
  }
  await live(page);
  if (at === base && !kept) logins.set(who.user, await page.evaluate(() => ({ ...sessionStorage })));
  return page;
}

async function loggedIn(options, who, kept) {
  const key = JSON.stringify([options, who.user]);
  if (!shared.has(key)) {
    const context = await newContext(options);
    shared.set(key, context);
    context.on('close', () => shared.delete(key));
    await context.addInitScript((items) => {
      if (!/^http/.test(location.protocol) || sessionStorage.begun) return;
      localStorage.clear();
      sessionStorage.begun = 'yes'; // survives a reload
      for (const [name, value] of Object.entries(items)) sessionStorage.setItem(name, value);
    }, kept);
  }
  return shared.get(key);
}

async function closePages() {
  const lasting = new Set(shared.values());
  for (const context of browser.contexts())
    if (lasting.has(context)) await Promise.all(context.pages().map((page) => page.close().catch(() => {})));
    else await context.close().catch(() => {});
}

/* ---- what is seen on a page ---- */

const picture = '.picture';
const kind = (page) => page.getAttribute(picture, 'data-kind');
const shown = async (page) => Number(await page.getAttribute(picture, 'data-pictures'));
const live = (page) => until('live', async () => (await kind(page)) === 'live');
const box = (page) => still(page.locator(picture));

async function advances(page, n = 10) {
  const from = await shown(page);
  await until(`${n} more pictures`, async () => (await shown(page)) >= from + n);
}

const fits = (page) =>
  until('nothing is wider than the page', () => page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));

async function axeClean(page, what) {
  await page.evaluate(axe);
  const found = await page.evaluate(async () => {
    const r = await window.axe.run(document, { resultTypes: ['violations'], runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'] });
    return r.violations.map((v) => `${v.id}: ${v.help} (${v.nodes.map((n) => n.target.join(' ')).slice(0, 4).join('; ')})`);
  });
  check(!found.length, `${what}:\n    ${found.join('\n    ')}`);
}

async function shoot(page, name) {
  if (!pictures) return;
  mkdirSync(pictures, { recursive: true });
  await page.screenshot({ path: join(pictures, `${name}.jpg`), type: 'jpeg', quality: 82 });
}

/* ---- the camera ---- */

const param = async (name) =>
  (await ask(base, `/axis-cgi/param.cgi?action=list&group=${name}`, admin)).body.toString().trim().split('=')[1];
const set = (name, value) => ask(base, `/axis-cgi/param.cgi?action=update&${name}=${value}`, admin);
const becomes = (name, value) => until(`${name} is ${value}`, async () => (await param(name)) === value);

const addViewer = () =>
  ask(base, '/axis-cgi/pwdgrp.cgi', {
    ...admin,
    method: 'POST',
    body: `action=add&user=${viewer.user}&pwd=${viewer.password}&grp=users&sgrp=viewer`,
  });

async function position() {
  const text = (await ask(base, '/axis-cgi/com/ptz.cgi?query=position,status', admin)).body.toString();
  const v = (name) => Number(new RegExp(`${name}=(\\S+)`).exec(text)?.[1]);
  return { pan: v('pan'), tilt: v('tilt'), zoom: v('zoom'), moving: /moving=yes/.test(text) };
}
const apart = (a, b) => Math.abs(a.pan - b.pan) + Math.abs(a.tilt - b.tilt) + Math.abs(a.zoom - b.zoom);

/** It has left where it was. */
const moves = (from) => until('the camera moves', async () => apart(await position(), from) > 0.05);

async function atRest() {
  let last = await position();
  await until(
    'the camera stands still',
    async () => {
      const p = await position();
      const still = !p.moving && !last.moving && apart(p, last) < 0.002;
      last = p;
      return still;
    },
    PATIENCE,
    60,
  );
  return last;
}

async function goTo(q) {
  const r = await ask(base, `/axis-cgi/com/ptz.cgi?${q}`, admin);
  check(r.status === 204, `ptz.cgi ${q}: ${r.status} ${r.body}`);
  return atRest();
}

/** The page shows what the camera is at, and pictures of now. from: a move away from there has been
 * asked for. */
async function settled(page, from = null) {
  if (from) await moves(from);
  let p;
  await until('the position line agrees', async () => {
    p = await atRest();
    const pan = Number((await page.textContent('[data-test=pan]')).replace('−', '-').replace(/[°+]/g, ''));
    return Math.abs(pan - p.pan) < 0.11 && (await page.getAttribute('[data-test=position]', 'data-moving')) === 'false';
  });
  await advances(page, 12); // more than a decoder may hold
  return p;
}

/* ---- the tests, in order ---- */

const tests = [];
/** always: others need it, whatever pattern was asked for. full: pictures of full size are its subject.
 * after: puts back what settings are not. */
const test = (name, run, { always = false, full = false, after } = {}) => tests.push({ name, run, always, full, after });

// Without a GPU decoding is most of a browser's work: pictures are small where nothing hangs on it.
const SIZE = 'Image.I0.Appearance.Resolution';
const FULL = '1920x1080';
const small = pictures ? FULL : '640x360';

let secure = '';
const kit = {
  test, base, admin, viewer, addViewer, program: camera && program, pictures, startCamera,
  secure: () => secure, foundSecure: (at) => (secure = at),
  open, openLive, logIn, live, kind, shown, advances, picture, box, fits, axeClean, shoot,
  orders: (page) => orders.get(page), param, set, becomes, position, moves, atRest, goTo, settled,
};

startTests(kit);
liveTests(kit);
clientTests(kit);
imageTests(kit);
stageTests(kit);
maskTests(kit);
audioTests(kit);
ptzTests(kit);
streamTests(kit);
overlayTests(kit);
viewTests(kit);

test('nothing_was_thrown_or_blocked', async () => check(!errors.length, errors.join('\n    ')), { always: true });

/* ---- running them ---- */

let failed = 0;
let settings = null;
const seconds = (began) => ((Date.now() - began) / 1000).toFixed(1);

async function clear({ after }) {
  await closePages();
  await after?.();
  settings ??= await keepSettings(base, admin, { [SIZE]: small });
  await settings.restore();
}

const picked = tests.filter((t) => !t.always && pattern.test(t.name));
for (const t of tests) {
  if (!t.always && !(picked.includes(t) && picked.indexOf(t) % parts === part - 1)) continue;
  const began = Date.now();
  try {
    if (t.full && settings) await set(SIZE, FULL);
    const skipped = await t.run();
    console.log(skipped ? `skip ${t.name} ${skipped}` : `ok ${t.name} (${seconds(began)} s)`);
  } catch (e) {
    failed++;
    console.log(`not ok ${t.name} (${seconds(began)} s)`);
    console.log(`    ${String(e.stack || e).split('\n').slice(0, 12).join('\n    ')}`);
    if (process.env.VEDETTE_FAILURES) {
      mkdirSync(process.env.VEDETTE_FAILURES, { recursive: true });
      for (const page of browser.contexts().flatMap((c) => c.pages()))
        await page.screenshot({ path: join(process.env.VEDETTE_FAILURES, `${t.name}.png`) }).catch(() => {});
    }
  }
  try {
    await clear(t);
  } catch (e) {
    failed++;
    console.log(`not ok ${t.name}_puts_back\n    ${e.stack}`);
  }
}
await browser.close();
if (camera) {
  await camera.stop();
  const bad = camera.log().split('\n').filter((line) => / error |ERROR|Sanitizer|agent/.test(line));
  if (failed && bad.length) console.log('    ' + bad.slice(-20).join('\n    '));
  camera.remove();
}
process.exit(failed ? 1 : 0);
