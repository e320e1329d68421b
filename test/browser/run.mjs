// The web page in a real browser.
//
// usage: node run.mjs [http://…] [PATTERN]
//
// Without an address a camera is started: the program named by VEDETTED, else
// build/vedetted. An address must be a camera's HTTP port, fresh from the factory.
// PATTERN picks tests by name (those they need run as well). VEDETTE_PICTURES: a
// folder for pictures of every page. Prints "ok NAME" or "not ok NAME" a line.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { here } from './lib.mjs';

if (!existsSync(join(here, 'node_modules/playwright-core')))
  execFileSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: here, stdio: 'inherit' });

const { chromium } = await import('playwright-core');
const { ask, check, near, serve, sleep, startCamera, toPlace, until, wire } = await import('./lib.mjs');
const { imageTests } = await import('./image.mjs');
const { audioTests } = await import('./audio.mjs');
const { maskTests } = await import('./masks.mjs');
const { ptzTests } = await import('./ptz.mjs');
const { overlayTests } = await import('./overlays.mjs');
const { stageTests } = await import('./stage.mjs');
const { streamTests } = await import('./stream.mjs');
const require = createRequire(import.meta.url);
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

const address = process.argv.slice(2).find((a) => /^https?:/.test(a));
const pattern = new RegExp(process.argv.slice(2).find((a) => !/^https?:/.test(a)) ?? '');
const pictures = process.env.VEDETTE_PICTURES;
const program = process.env.VEDETTED || join(here, '../../build/vedetted');
const ADMIN = { user: 'root', password: 'Correct-horse-7' };
const VIEWER = { user: 'vera', password: 'viewPass.33' };
const LOAD = 20000; // patience on a busy machine

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

let secureBase = '';
const errors = []; // of all pages: nothing may be thrown, nothing blocked by the CSP

async function open(at = base, options = {}) {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 800 },
    locale: 'en-GB',
    timezoneId: 'Europe/Stockholm',
    colorScheme: 'dark',
    ignoreHTTPSErrors: true,
    acceptDownloads: true,
    ...options,
  });
  const page = await context.newPage();
  page.setDefaultTimeout(LOAD);
  page.on('pageerror', (e) => errors.push(e.message));
  page.on('console', (m) => {
    if (m.type() === 'error' && /Content Security Policy|Refused to/.test(m.text())) errors.push(m.text());
  });
  await page.goto(at);
  return page;
}

async function logIn(page, { user, password }) {
  await page.fill('#user', user);
  await page.fill('#password', password);
  await page.click('button.primary');
}

async function openLive(at = base, options = {}, who = ADMIN) {
  const page = await open(at, options);
  await logIn(page, who);
  await live(page);
  return page;
}

const picture = '.picture';
const kind = (page) => page.getAttribute(picture, 'data-kind');
const shown = async (page) => Number(await page.getAttribute(picture, 'data-pictures'));
const live = (page) => until('live', async () => (await kind(page).catch(() => '')) === 'live', LOAD);

async function advances(page, n = 10, ms = LOAD) {
  const from = await shown(page);
  await until(`${n} more pictures`, async () => (await shown(page)) >= from + n, ms);
}

async function position() {
  const r = await ask(base, '/axis-cgi/com/ptz.cgi?query=position', ADMIN);
  const v = (name) => Number(new RegExp(`${name}=(\\S+)`).exec(r.body.toString())?.[1]);
  return { pan: v('pan'), tilt: v('tilt'), zoom: v('zoom') };
}

async function atRest(ms = LOAD) {
  let last = await position();
  let still = 0;
  await until(
    'the camera stands still',
    async () => {
      const p = await position();
      still = Math.abs(p.pan - last.pan) + Math.abs(p.tilt - last.tilt) + Math.abs(p.zoom - last.zoom) < 0.002 ? still + 1 : 0;
      last = p;
      return still >= 3;
    },
    ms,
    100,
  );
  return last;
}

async function goTo(q) {
  const r = await ask(base, `/axis-cgi/com/ptz.cgi?${q}`, ADMIN);
  check(r.status === 204, `ptz.cgi ${q}: ${r.status} ${r.body}`);
  return atRest();
}

/** The page shows what the camera is at, and pictures of now. */
async function settled(page) {
  const p = await atRest();
  await until('the position line agrees', async () => {
    const pan = Number((await page.textContent('[data-test=pan]')).replace('−', '-').replace(/[°+]/g, ''));
    return Math.abs(pan - p.pan) < 0.11 && (await page.getAttribute('[data-test=position]', 'data-moving')) === 'false';
  });
  await advances(page, 12);
  return p;
}

const box = (page) => page.locator(picture).boundingBox();

async function axeClean(page, what) {
  await page.evaluate(axe);
  const found = await page.evaluate(async () => {
    const r = await window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'] });
    return r.violations.map((v) => `${v.id}: ${v.help} (${v.nodes.map((n) => n.target.join(' ')).slice(0, 4).join('; ')})`);
  });
  check(!found.length, `${what}:\n    ${found.join('\n    ')}`);
}

async function shoot(page, name) {
  if (!pictures) return;
  mkdirSync(pictures, { recursive: true });
  await page.screenshot({ path: join(pictures, `${name}.jpg`), type: 'jpeg', quality: 82 });
}

/* ---- the tests, in order ---- */

const tests = [];
const test = (name, run, always = false) => tests.push({ name, run, always });

test('setup_checks_and_makes_the_administrator', async () => {
  const page = await open();
  await page.waitForSelector('#repeat');
  check(await page.getByText('plain HTTP').first().isVisible(), 'plain HTTP is warned of');
  const link = await page.getByRole('link', { name: 'Switch to HTTPS' }).getAttribute('href');
  secureBase = link;
  check((await page.inputValue('#zone')) === 'Europe/Stockholm', "the browser's time zone is offered");
  await page.click('button.primary');
  check(await page.getByText('1 to 64 letters').isVisible(), 'an empty name is refused');
  await page.fill('#user', ADMIN.user);
  await page.fill('#password', 'abc');
  check(await page.getByText('Very weak').isVisible(), 'a weak password is told');
  await page.fill('#password', ADMIN.password);
  check(await page.getByText('Strong').isVisible(), 'a strong password is told');
  await page.fill('#repeat', 'other');
  await page.click('button.primary');
  check(await page.getByText('The two passwords differ').isVisible(), 'different passwords are refused');
  await shoot(page, 'setup-dark-desktop');
  await axeClean(page, 'setup, dark');
  await page.emulateMedia({ colorScheme: 'light' });
  await axeClean(page, 'setup, light');
  await page.setViewportSize({ width: 390, height: 844 });
  await shoot(page, 'setup-light-phone');
  await page.setViewportSize({ width: 1280, height: 800 });
  await page.fill('#repeat', ADMIN.password);
  await page.click('button.primary');
  await live(page);
  await until('the time zone is set', async () => {
    const r = await ask(base, '/axis-cgi/param.cgi?action=list&group=Time.TimeZone', ADMIN);
    return r.body.toString().includes('Europe/Stockholm');
  });
  await page.context().close();
}, true);

test('plain_http_keeps_no_password', async () => {
  const page = await openLive();
  const kept = await page.evaluate(() => JSON.stringify({ ...sessionStorage }) + JSON.stringify({ ...localStorage }) + document.cookie);
  check(!kept.includes(ADMIN.password), 'the password lies in the browser');
  await page.reload();
  await live(page);
  await page.context().close();
});

test('login_refuses_and_lets_in', async () => {
  const page = await open(secureBase);
  await page.waitForSelector('#password');
  await page.click('summary');
  check(await page.getByText('There is no recovery').isVisible(), 'says that there is no recovery');
  await axeClean(page, 'login');
  await shoot(page, 'login-dark-desktop');
  await logIn(page, { ...ADMIN, password: 'wrong' });
  await page.getByText('User name or password is wrong').waitFor();
  await logIn(page, ADMIN);
  await live(page);
  const cookies = await page.context().cookies();
  check(cookies.some((c) => c.httpOnly && c.secure && c.sameSite !== 'None'), 'the cookie is HttpOnly, Secure, SameSite');
  await page.reload();
  await live(page);
  await page.getByRole('button', { name: 'Log out' }).click();
  await page.waitForSelector('#password');
  const s = await page.evaluate(() => fetch('/vedette/session').then((r) => r.json()));
  check(s.user === '', 'the session has ended on the server');
  await page.context().close();
});

for (const way of ['webcodecs', 'mse', 'mjpeg'])
  test(`video_plays_by_${way}`, async () => {
    const page = await open();
    await page.evaluate((w) => localStorage.setItem('vedette.way', w), way);
    await page.reload();
    await logIn(page, ADMIN);
    await live(page);
    await advances(page, 30);
    await page.keyboard.press('i');
    await until('the delay is measured', async () => /\d ms/.test(await page.textContent('[data-test=delay]')));
    check(/1920 × 1080/.test(await page.textContent('[data-test=size]')), 'resolution');
    // Not one colour: there is a scene.
    const colours = await page.evaluate((w) => {
      const from = document.querySelector(w === 'mse' ? '.picture video' : '.picture canvas');
      const c = document.createElement('canvas');
      c.width = c.height = 64;
      const x = c.getContext('2d');
      x.drawImage(from, 0, 0, 64, 64);
      const d = x.getImageData(0, 0, 64, 64).data;
      const seen = new Set();
      for (let i = 0; i < d.length; i += 4) seen.add((d[i] >> 4) * 256 + (d[i + 1] >> 4) * 16 + (d[i + 2] >> 4));
      return seen.size;
    }, way);
    check(colours > 20, `a scene, not ${colours} colours`);
    await page.context().close();
  });

test('click_centres', async () => {
  await goTo('pan=0&tilt=-8&zoom=1');
  const page = await openLive();
  const before = await settled(page);
  const b = await box(page);
  await page.mouse.click(b.x + b.width * 0.75, b.y + b.height * 0.4);
  await page.waitForSelector('.cross', { timeout: 2000 });
  const after = await settled(page);
  // A quarter of a 60° picture right of the middle: atan(tan 30° / 2).
  near(after.pan - before.pan, 16.1, 1.5, 'pan');
  check(after.tilt > before.tilt + 1.5, 'tilt went up');
  near(after.zoom, before.zoom, 1, 'zoom');
  await page.context().close();
});

test('hold_moves_and_release_stops', async () => {
  await goTo('pan=0&tilt=-8&zoom=1');
  const page = await openLive();
  const before = await settled(page);
  const b = await box(page);
  await page.mouse.move(b.x + b.width * 0.9, b.y + b.height * 0.5);
  await page.mouse.down();
  await sleep(2200); // longer than the dead man: it is renewed
  const during = await position();
  await page.mouse.up();
  await sleep(500);
  const a = await position();
  await sleep(700);
  const c = await position();
  check(during.pan > before.pan + 10, `moved to the right: ${before.pan} → ${during.pan}`);
  near(c.pan, a.pan, 0.01, 'stands still after the release');
  await page.context().close();
});

test('leaving_the_picture_and_losing_focus_stop', async () => {
  await goTo('pan=0&tilt=-8&zoom=1');
  const page = await openLive();
  await settled(page);
  const b = await box(page);
  for (const how of ['leave', 'blur', 'hidden']) {
    await page.mouse.move(b.x + b.width * 0.85, b.y + b.height * 0.5);
    await page.mouse.down();
    await sleep(900);
    if (how === 'leave') await page.mouse.move(b.x + b.width * 0.5, b.y + b.height + 60, { steps: 4 });
    if (how === 'blur') await page.evaluate(() => window.dispatchEvent(new Event('blur')));
    if (how === 'hidden')
      await page.evaluate(() => {
        Object.defineProperty(document, 'hidden', { value: true, configurable: true });
        document.dispatchEvent(new Event('visibilitychange'));
      });
    await sleep(500);
    const a = await position();
    await sleep(500);
    near((await position()).pan, a.pan, 0.01, `${how} stops`);
    await page.mouse.up();
    await page.evaluate(() => {
      delete document.hidden;
      document.dispatchEvent(new Event('visibilitychange'));
    });
    await live(page);
  }
  await page.context().close();
});

test('hidden_page_stops_decoding', async () => {
  const page = await openLive();
  await advances(page, 5);
  await page.evaluate(() => {
    Object.defineProperty(document, 'hidden', { value: true, configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
  });
  await sleep(300);
  const n = await shown(page);
  await sleep(800);
  check((await shown(page)) === n, 'pictures went on');
  await page.evaluate(() => {
    delete document.hidden;
    document.dispatchEvent(new Event('visibilitychange'));
  });
  await advances(page, 5);
  await page.context().close();
});

test('wheel_zooms_about_the_pointer', async () => {
  await goTo('pan=20&tilt=-8&zoom=1');
  const page = await openLive();
  const before = await settled(page);
  const b = await box(page);
  await page.mouse.move(b.x + b.width * 0.75, b.y + b.height * 0.5);
  for (let i = 0; i < 4; i++) {
    await page.mouse.wheel(0, -100);
    await sleep(60);
  }
  const after = await settled(page);
  check(after.zoom > before.zoom + 100, `zoomed in: ${after.zoom}`);
  // The point under the pointer stays there: 16.1° right at 1×, so at 2.44× the
  // middle has gone to 16.1° − atan(tan 30° / 2 / 2.44).
  near(after.pan - before.pan, 16.1 - 6.75, 1.5, 'pan');
  for (let i = 0; i < 6; i++) await page.mouse.wheel(0, 100);
  near((await settled(page)).zoom, 1, 1, 'zoomed out again');
  await page.context().close();
});

test('drag_of_a_box_fills_the_picture', async () => {
  await goTo('pan=0&tilt=-8&zoom=1');
  const page = await openLive();
  await settled(page);
  const b = await box(page);
  await page.mouse.move(b.x + b.width * 0.55, b.y + b.height * 0.4);
  await page.mouse.down();
  await page.mouse.move(b.x + b.width * 0.8, b.y + b.height * 0.65, { steps: 6 });
  check(await page.locator('rect.box').isVisible(), 'the box is drawn');
  await page.mouse.up();
  const after = await settled(page);
  near(after.pan, 11.4, 1.5, 'pan of the middle of the box');
  check(after.zoom > 500, `zoomed in: ${after.zoom}`);
  await page.context().close();
});

test('keys_move_zoom_and_go_home', async () => {
  await goTo('pan=0&tilt=-30&zoom=1');
  const page = await openLive();
  const before = await settled(page);
  await page.keyboard.down('ArrowRight');
  await sleep(1000);
  await page.keyboard.up('ArrowRight');
  const right = await settled(page);
  check(right.pan > before.pan + 3, `right: ${right.pan}`);
  await page.keyboard.down('ArrowUp');
  await sleep(800);
  await page.keyboard.up('ArrowUp');
  const up = await settled(page);
  check(up.tilt > right.tilt + 2, `up: ${up.tilt}`);
  await page.keyboard.down('+');
  await sleep(800);
  await page.keyboard.up('+');
  check((await settled(page)).zoom > 100, 'plus zooms in');
  await page.keyboard.press('Home');
  const home = await settled(page);
  near(home.pan, 0, 0.05, 'home pan');
  near(home.zoom, 1, 1, 'home zoom');
  await page.keyboard.press('?');
  check(await page.getByRole('dialog').isVisible(), 'the list of keys');
  await axeClean(page, 'keys');
  await shoot(page, 'keys-dark-desktop');
  await page.keyboard.press('Escape');
  await page.keyboard.press(' '); // at once: the dialog may not hold on to the keys
  await until('frozen', async () => (await kind(page)) === 'paused');
  check(!(await page.getByRole('dialog').isVisible()), 'Escape closes the list of keys');
  await page.keyboard.press('?');
  await page.keyboard.press('Escape');
  await page.keyboard.press('?');
  check(await page.getByRole('dialog').isVisible(), 'it opens again');
  await page.getByRole('dialog').getByRole('button').click();
  check(!(await page.getByRole('dialog').isVisible()), 'its button closes it');
  await page.keyboard.press(' ');
  await live(page);
  await page.context().close();
});

test('zoom_slider_and_limits', async () => {
  await goTo('pan=0&tilt=-8&zoom=1');
  const page = await openLive();
  await settled(page);
  const slider = page.getByRole('slider', { name: 'Zoom' });
  await slider.focus();
  await page.keyboard.press('End');
  await until('full zoom', async () => (await position()).zoom > 9990, LOAD);
  await until('the wall is shown', async () => (await page.textContent('[data-test=position]')).includes('Limit'));
  await page.keyboard.press('Home');
  await until('wide', async () => (await position()).zoom < 2, LOAD);
  await ask(base, '/axis-cgi/com/ptz.cgi?tilt=20', ADMIN);
  await page.waitForSelector('.wall.tiltMax');
  await goTo('pan=0&tilt=-8&zoom=1');
  await page.context().close();
});

test('snapshot_is_saved', async () => {
  const page = await openLive();
  const [download] = await Promise.all([page.waitForEvent('download'), page.keyboard.press('s')]);
  check(/^vedette-\d{4}-\d\d-\d\dT.*\.jpg$/.test(download.suggestedFilename()), download.suggestedFilename());
  const bytes = readFileSync(await download.path());
  check(bytes[0] === 0xff && bytes[1] === 0xd8 && bytes.length > 20000, 'a JPEG');
  await page.context().close();
});

test('comes_back_after_the_wire_was_cut', async () => {
  const line = await wire(new URL(base).port);
  const page = await openLive(`http://127.0.0.1:${line.port}/`);
  await advances(page, 5);
  const b = await box(page);
  await page.mouse.move(b.x + b.width * 0.85, b.y + b.height * 0.5);
  await page.mouse.down();
  await sleep(900);
  line.cut();
  await page.getByText(/Reconnecting in \d+ s/).first().waitFor();
  await shoot(page, 'reconnecting-dark-desktop');
  const a = await atRest(5000); // by itself, while the button is still held
  await sleep(700);
  near((await position()).pan, a.pan, 0.01, 'a dead line stops the camera');
  await page.mouse.up();
  await sleep(1500);
  line.mend();
  await live(page);
  await advances(page, 10);
  await until('the position line is back', async () => /°/.test(await page.textContent('[data-test=position]')));
  await page.context().close();
  line.close();
});

test('stream_sets_reads_back_and_undoes', async () => {
  const page = await openLive();
  const n = await shown(page);
  await toPlace(page, 'Stream');
  const field = page.getByRole('textbox', { name: 'Compression' });
  await field.waitFor();
  const value = async () => {
    const r = await ask(base, '/axis-cgi/param.cgi?action=list&group=Image.I0.Appearance.Compression', ADMIN);
    return r.body.toString().split('=')[1].trim();
  };
  const from = await value();
  await field.fill('47');
  await field.press('Enter');
  await until('set', async () => (await value()) === '47');
  await page.getByRole('button', { name: 'Undo' }).click();
  await until('undone', async () => (await value()) === from);
  await field.fill('470');
  await field.press('Enter');
  await page.locator('.param .error').waitFor();
  check((await value()) === from, 'a bad value changes nothing');
  await field.fill(from);
  await field.press('Enter');
  check((await shown(page)) > n, 'the picture went on meanwhile');
  await page.reload();
  await page.getByRole('heading', { level: 1, name: 'Stream' }).waitFor();
  await page.goBack().catch(() => {});
  await page.context().close();
});

test('another_page_hears_of_changes', async () => {
  const page = await openLive();
  await toPlace(page, 'Stream');
  await page.getByRole('textbox', { name: 'Compression' }).waitFor();
  await ask(base, '/axis-cgi/param.cgi?action=update&Image.I0.Appearance.Compression=33', ADMIN);
  await until('33 is shown', async () => (await page.getByRole('textbox', { name: 'Compression' }).inputValue()) === '33');
  await ask(base, '/axis-cgi/param.cgi?action=update&Image.I0.Appearance.Compression=30', ADMIN);
  await page.context().close();
});

test('viewers_see_no_controls', async () => {
  await ask(base, '/axis-cgi/pwdgrp.cgi', {
    ...ADMIN,
    method: 'POST',
    body: `action=add&user=${VIEWER.user}&pwd=${VIEWER.password}&grp=users&sgrp=viewer`,
  });
  const page = await openLive(base, {}, VIEWER);
  check((await page.getByRole('button', { name: 'Home' }).count()) === 0, 'no home button');
  check((await page.getByRole('slider').count()) === 0, 'no zoom');
  const before = await position();
  const b = await box(page);
  await page.mouse.click(b.x + b.width * 0.8, b.y + b.height * 0.5);
  await page.keyboard.press('ArrowRight');
  await sleep(500);
  near((await position()).pan, before.pan, 0.01, 'nothing moves');
  await page.context().close();
});

test('phone_fits_and_steers_by_touch', async () => {
  await goTo('pan=0&tilt=-8&zoom=1');
  const page = await openLive(base, { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 });
  const before = await settled(page);
  const fits = () => page.evaluate(() => document.documentElement.scrollWidth <= innerWidth);
  check(await fits(), 'no sideways scrolling');
  const b = await box(page);
  near(b.width / b.height, 16 / 9, 0.03, '16:9');
  check(b.y < 5 && Math.abs(b.width - 390) < 2, 'the picture is at the top, as wide as the page');
  const nav = await page.getByRole('navigation').boundingBox();
  check(nav.y > 700, 'the bar is at the bottom');
  await page.touchscreen.tap(b.x + b.width * 0.7, b.y + b.height * 0.5);
  const tapped = await settled(page);
  check(tapped.pan > before.pan + 8, `a tap centres: ${tapped.pan}`);
  const cdp = await page.context().newCDPSession(page);
  const touch = (type, ...points) => cdp.send('Input.dispatchTouchEvent', { type, touchPoints: points.map(([x, y], id) => ({ x, y, id })) });
  const y = b.y + b.height * 0.5;
  await touch('touchStart', [150, y]);
  for (let x = 155; x <= 250; x += 5) {
    await touch('touchMove', [x, y]);
    await sleep(15);
  }
  await touch('touchEnd');
  const dragged = await settled(page);
  check(dragged.pan < tapped.pan - 8, `one finger drags the scene: ${dragged.pan}`);
  await touch('touchStart', [170, y], [200, y]);
  for (let d = 15; d <= 90; d += 5) {
    await touch('touchMove', [185 - d, y], [185 + d, y]);
    await sleep(20);
  }
  await touch('touchEnd');
  check((await settled(page)).zoom > 300, 'two fingers zoom');
  await page.getByRole('button', { name: 'Home' }).tap();
  await settled(page);
  const pad = await page.locator('.pad').boundingBox();
  await touch('touchStart', [pad.x + pad.width / 2, pad.y + pad.height / 2]);
  await touch('touchMove', [pad.x + pad.width * 0.9, pad.y + pad.height / 2]);
  await sleep(1200);
  await touch('touchEnd');
  const after = await settled(page);
  check(after.pan > 5, `the thumb stick moves: ${after.pan}`);
  await goTo('pan=0&tilt=-8&zoom=1');
  await shoot(page, 'live-dark-phone');
  await axeClean(page, 'live on a phone');
  await toPlace(page, 'System');
  await page.getByRole('heading', { level: 1, name: 'System' }).waitFor();
  check(await fits(), 'no sideways scrolling in System');
  near((await box(page)).y, 0, 2, 'the picture stays at the top');
  await shoot(page, 'system-dark-phone');
  await page.emulateMedia({ colorScheme: 'light' });
  await shoot(page, 'system-light-phone');
  await toPlace(page, 'Live');
  await shoot(page, 'live-light-phone');
  await page.setViewportSize({ width: 844, height: 390 });
  await sleep(300);
  check(await fits(), 'no sideways scrolling in landscape');
  await shoot(page, 'live-light-landscape');
  await page.context().close();
});

test('every_page_is_accessible_in_both_themes', async () => {
  await goTo('pan=0&tilt=-8&zoom=1');
  const page = await openLive();
  await settled(page);
  await shoot(page, 'live-dark-desktop');
  await page.keyboard.press('i');
  await sleep(pictures ? 8000 : 1200);
  await axeClean(page, 'live, dark');
  await shoot(page, 'stream-information-dark-desktop');
  await page.keyboard.press('i');
  await toPlace(page, 'System');
  await page.getByRole('heading', { level: 1, name: 'System' }).waitFor();
  await axeClean(page, 'system, dark');
  await shoot(page, 'system-dark-desktop');
  await page.getByLabel('Appearance').selectOption('light');
  await axeClean(page, 'system, light');
  await shoot(page, 'system-light-desktop');
  await toPlace(page, 'Live');
  await axeClean(page, 'live, light');
  await shoot(page, 'live-light-desktop');
  await toPlace(page, 'System');
  await page.getByLabel('Language').selectOption('de');
  check(await page.getByText('Zeitzone').first().isVisible(), 'German');
  await page.context().close();
});

test('media_stream_library_plays_in_the_browser', async () => {
  const token = (await ask(base, '/axis-cgi/rtspwssession.cgi', ADMIN)).body.toString().trim();
  const host = new URL(base).host;
  const other = await serve({
    '/': { type: 'text/html', body: '<!doctype html><video muted></video><script src="/library.js"></script>' },
    '/library.js': { type: 'text/javascript', path: join(here, 'node_modules/media-stream-library/dist/media-stream-library.min.js') },
  });
  const context = await browser.newContext({ viewport: { width: 640, height: 400 } });
  const page = await context.newPage();
  await page.goto(other.url);
  const socketUri = `ws://${host}/rtsp-over-websocket?rtspwssession=${token}`;
  const uri = `rtsp://${host}/axis-media/media.amp?videocodec=h264`;
  await page.evaluate(
    ([socketUri, uri]) => {
      const { pipelines } = window.mediaStreamLibrary;
      const p = new pipelines.Html5VideoPipeline({ ws: { uri: socketUri }, rtsp: { uri }, mediaElement: document.querySelector('video') });
      window.pipeline = p;
      p.ready.then(() => p.rtsp.play());
      p.onSourceOpen = () => p.play();
    },
    [socketUri, uri],
  );
  await until('it plays', () => page.evaluate(() => document.querySelector('video').currentTime > 1.5), LOAD);
  check((await page.evaluate(() => document.querySelector('video').videoWidth)) === 1920, '1920 wide');
  await context.close();
  other.close();
});

test('page_is_packed_and_cached', async () => {
  const get = async (path, headers) => fetch(new URL(path, base), { headers, redirect: 'manual' });
  for (const path of ['/', '/camera/index.html']) {
    const r = await get(path, { 'Accept-Encoding': 'gzip' });
    check(r.status === 200 && r.headers.get('content-encoding') === 'gzip', `${path} comes packed`);
    const again = await get(path, { 'Accept-Encoding': 'gzip', 'If-None-Match': r.headers.get('etag') });
    check(again.status === 304, `${path} is known by its tag`);
    check(/default-src 'self'/.test(r.headers.get('content-security-policy')), 'a content security policy');
  }
  const asset = /\/assets\/[^"]+\.js/.exec(await (await get('/')).text())[0];
  check(/immutable/.test((await get(asset)).headers.get('cache-control')), 'hashed names may be kept');
  check((await get('/assets/nosuch.js')).status === 401, 'strangers learn nothing of paths');
  check((await get('/assets/../index.html%00')).status === 400, 'unclean paths are refused');
});

const clip = '/usr/share/doc/opencv-doc/examples/data/vtest.avi';
test('file_source_is_seen_and_steered', async () => {
  if (!camera || !existsSync(clip)) return 'needs opencv-doc and a camera of its own';
  const second = await startCamera(program, { source: `file:${clip}` });
  try {
    const at = `http://127.0.0.1:${second.http}/`;
    await ask(at, '/axis-cgi/pwdgrp.cgi', {
      method: 'POST',
      body: `action=add&user=${ADMIN.user}&pwd=${ADMIN.password}&grp=root&sgrp=admin:operator:viewer:ptz`,
    });
    const page = await openLive(at);
    await advances(page, 10);
    const b = await box(page);
    near(b.width / b.height, 768 / 576, 0.02, 'the shape of the clip');
    await page.mouse.move(b.x + b.width * 0.55, b.y + b.height * 0.4);
    await page.mouse.down();
    await page.mouse.move(b.x + b.width * 0.85, b.y + b.height * 0.7, { steps: 5 });
    await page.mouse.up();
    await until('the digital head zooms', async () => /3\.3×/.test(await page.textContent('[data-test=zoom]')));
    await advances(page, 5);
    await shoot(page, 'file-source-dark-desktop');
    await page.context().close();
  } finally {
    await second.stop();
    second.remove();
  }
});

imageTests({
  test, base, admin: ADMIN, viewer: VIEWER, openLive, axeClean, shoot, advances, picture,
  program: camera && program, startCamera, open, logIn, live,
});

stageTests({ test, base, admin: ADMIN, viewer: VIEWER, openLive, open, logIn, live, axeClean, shoot, advances, picture });

maskTests({ test, base, admin: ADMIN, openLive, axeClean, shoot, advances });

audioTests({ test, base, admin: ADMIN, openLive, axeClean, shoot });
ptzTests({ test, base, admin: ADMIN, openLive, axeClean, shoot, picture, goTo, position, atRest });

streamTests({ test, base, admin: ADMIN, viewer: VIEWER, openLive, open, logIn, axeClean, shoot, advances, picture, secure: () => secureBase });

overlayTests({ test, base, admin: ADMIN, viewer: VIEWER, openLive, axeClean, shoot, picture });

test('nothing_was_thrown_or_blocked', async () => {
  check(!errors.length, errors.join('\n    '));
}, true);

/* ---- running them ---- */

let failed = 0;
for (const { name, run, always } of tests) {
  if (!always && !pattern.test(name)) continue;
  const began = Date.now();
  try {
    const skipped = await run();
    if (skipped) console.log(`skip ${name} ${skipped}`);
    else console.log(`ok ${name} (${((Date.now() - began) / 1000).toFixed(1)} s)`);
  } catch (e) {
    failed++;
    console.log(`not ok ${name}`);
    console.log(`    ${String(e.stack || e).split('\n').slice(0, 12).join('\n    ')}`);
    for (const context of browser.contexts()) {
      if (process.env.VEDETTE_FAILURES)
        for (const page of context.pages()) {
          mkdirSync(process.env.VEDETTE_FAILURES, { recursive: true });
          await page.screenshot({ path: join(process.env.VEDETTE_FAILURES, `${name}.png`) }).catch(() => {});
        }
      await context.close().catch(() => {});
    }
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
