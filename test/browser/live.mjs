// The live view: steering by mouse, wheel, keys and touch, what must never move the camera, and
// that the page comes back by itself.
import { readFileSync } from 'node:fs';
import { ask, check, near, sleep, still, toPlace, until, wire } from './lib.mjs';

export function liveTests(kit) {
  const { test, base, admin, viewer, addViewer, openLive, live, kind, shown, advances, picture, box, fits, axeClean, shoot } = kit;
  const { orders, param, set, becomes, position, moves, atRest, goTo, settled } = kit;

  /** The camera gets there; then it comes to rest, and the page with it. */
  const arrives = async (page, what, there) => {
    await until(what, async () => there(await position()));
    return settled(page);
  };
  const hide = (page, hidden) =>
    page.evaluate((hidden) => {
      if (hidden) Object.defineProperty(document, 'hidden', { value: true, configurable: true });
      else delete document.hidden;
      document.dispatchEvent(new Event('visibilitychange'));
    }, hidden);
  const stops = (page) => orders(page).filter((o) => o === 'stop').length;
  /** Presses right of the middle and keeps the button down. */
  const holdRight = async (page) => {
    const b = await box(page);
    await page.mouse.move(b.x + b.width * 0.9, b.y + b.height * 0.5);
    await page.mouse.down();
    return b;
  };

  test('click_centres', async () => {
    await goTo('pan=0&tilt=-8&zoom=1');
    const page = await openLive();
    const before = await settled(page);
    const b = await box(page);
    await Promise.all([page.waitForSelector('.cross'), page.mouse.click(b.x + b.width * 0.75, b.y + b.height * 0.4)]);
    const after = await settled(page, before);
    // A quarter of a 60° picture right of the middle: atan(tan 30° / 2).
    near(after.pan - before.pan, 16.1, 1.5, 'pan');
    check(after.tilt > before.tilt + 1.5, 'tilt went up');
    near(after.zoom, before.zoom, 1, 'zoom');
    // A busy browser hears of a click's end after the time of a hold; it is a click all the same.
    const cdp = await page.context().newCDPSession(page);
    const began = Date.now() / 1000;
    const mouse = (type, after) =>
      cdp.send('Input.dispatchMouseEvent', { type, x: b.x + b.width * 0.3, y: b.y + b.height * 0.5, button: 'left', clickCount: 1, timestamp: began + after });
    const goes = () => orders(page).filter((o) => o === 'goto').length;
    const n = goes();
    await mouse('mousePressed', 0);
    await until('it is taken for a hold', () => orders(page).includes('move'));
    await mouse('mouseReleased', 0.05);
    await until('it is a click', () => goes() > n);
  });

  test('hold_moves_and_release_stops', async () => {
    await goTo('pan=0&tilt=-8&zoom=1');
    const page = await openLive();
    await settled(page);
    await holdRight(page);
    // Without being renewed it would end after a second, some 66° further.
    await until('it goes on moving to the right', async () => (await position()).pan > 100);
    check(!stops(page), 'it is not stopped before it is let go of');
    await page.mouse.up();
    await until('the release stops it', () => stops(page) > 0);
    await atRest();
  });

  test('leaving_the_picture_and_losing_focus_stop', async () => {
    await goTo('pan=0&tilt=-8&zoom=1');
    const page = await openLive();
    let at = await settled(page);
    for (const how of ['leave', 'blur', 'hidden']) {
      const n = stops(page);
      const b = await holdRight(page);
      await moves(at);
      if (how === 'leave') await page.mouse.move(b.x + b.width * 0.5, b.y + b.height + 60, { steps: 4 });
      if (how === 'blur') await page.evaluate(() => window.dispatchEvent(new Event('blur')));
      if (how === 'hidden') await hide(page, true);
      await until(`${how} stops`, () => stops(page) > n);
      at = await atRest();
      await sleep(400); // longer than a hold is renewed after
      near((await position()).pan, at.pan, 0.01, `${how} stops for good`);
      await page.mouse.up();
      await hide(page, false);
      await live(page);
    }
  });

  test('hidden_page_stops_decoding', async () => {
    const page = await openLive();
    await advances(page, 5);
    await hide(page, true);
    await until('it is hidden', async () => (await kind(page)) === 'hidden');
    const n = await shown(page);
    await sleep(500);
    check((await shown(page)) === n, 'pictures went on');
    await hide(page, false);
    await advances(page, 5);
  });

  test('wheel_zooms_about_the_pointer', async () => {
    await goTo('pan=20&tilt=-8&zoom=1');
    const page = await openLive();
    const before = await settled(page);
    const b = await box(page);
    await page.mouse.move(b.x + b.width * 0.75, b.y + b.height * 0.5);
    for (let i = 0; i < 4; i++) await page.mouse.wheel(0, -100);
    // The point under the pointer stays there: 16.1° right at 1×, so at 2.44× the
    // middle has gone to 16.1° − atan(tan 30° / 2 / 2.44).
    const after = await arrives(page, 'zoomed in', (p) => Math.abs(p.pan - before.pan - 9.35) < 1.5 && !p.moving);
    check(after.zoom > before.zoom + 100, `zoomed in: ${after.zoom}`);
    for (let i = 0; i < 6; i++) await page.mouse.wheel(0, 100);
    near((await arrives(page, 'zoomed out again', (p) => p.zoom <= 2)).zoom, 1, 1, 'zoomed out again');
  });

  test('drag_of_a_box_fills_the_picture', async () => {
    await goTo('pan=0&tilt=-8&zoom=1');
    const page = await openLive();
    const before = await settled(page);
    const b = await box(page);
    await page.mouse.move(b.x + b.width * 0.55, b.y + b.height * 0.4);
    // Told at once: a button that is down for long before the mouse moves, holds.
    await Promise.all([page.mouse.down(), page.mouse.move(b.x + b.width * 0.8, b.y + b.height * 0.65, { steps: 6 })]);
    await page.locator('rect.box').waitFor();
    await page.mouse.up();
    const after = await settled(page, before);
    near(after.pan, 11.4, 1.5, 'pan of the middle of the box');
    check(after.zoom > 500, `zoomed in: ${after.zoom}`);
  });

  test('keys_move_zoom_and_go_home', async () => {
    const before = await goTo('pan=0&tilt=-30&zoom=1');
    const page = await openLive();
    await settled(page);
    const hold = async (key, what, there) => {
      await page.keyboard.down(key);
      await until(what, async () => there(await position()));
      await page.keyboard.up(key);
      return atRest();
    };
    const right = await hold('ArrowRight', 'right', (p) => p.pan > before.pan + 3);
    await hold('ArrowUp', 'up', (p) => p.tilt > right.tilt + 2);
    await hold('+', 'plus zooms in', (p) => p.zoom > 100);
    await page.keyboard.press('Home');
    await until('home', async () => {
      const p = await position();
      return Math.abs(p.pan) < 0.05 && p.zoom <= 2;
    });
    const list = page.getByRole('dialog');
    await page.keyboard.press('?');
    await list.waitFor();
    await axeClean(page, 'keys');
    await shoot(page, 'keys-dark-desktop');
    await page.keyboard.press('Escape');
    await page.keyboard.press(' '); // at once: the dialog may not hold on to the keys
    await until('frozen', async () => (await kind(page)) === 'paused');
    await list.waitFor({ state: 'hidden' });
    await page.keyboard.press('?');
    await page.keyboard.press('Escape');
    await page.keyboard.press('?');
    await list.waitFor();
    await list.getByRole('button').click();
    await list.waitFor({ state: 'hidden' });
    await page.keyboard.press(' ');
    await live(page);
  });

  test('zoom_slider_and_limits', async () => {
    await goTo('pan=0&tilt=-8&zoom=8000');
    const page = await openLive();
    await settled(page);
    await page.getByRole('slider', { name: 'Zoom' }).focus();
    await page.keyboard.press('End');
    await until('full zoom', async () => (await position()).zoom > 9990);
    await until('the wall is shown', async () => (await page.textContent('[data-test=position]')).includes('Limit'));
    await ask(base, '/axis-cgi/com/ptz.cgi?tilt=20', admin);
    await page.waitForSelector('.wall.tiltMax');
    await page.keyboard.press('Home');
    await until('wide', async () => (await position()).zoom < 2);
  });

  test('snapshot_is_saved', async () => {
    const page = await openLive();
    const [download] = await Promise.all([page.waitForEvent('download'), page.keyboard.press('s')]);
    check(/^vedette-\d{4}-\d\d-\d\dT.*\.jpg$/.test(download.suggestedFilename()), download.suggestedFilename());
    const bytes = readFileSync(await download.path());
    check(bytes[0] === 0xff && bytes[1] === 0xd8 && bytes.length > 4000, 'a JPEG');
  });

  test('comes_back_after_the_wire_was_cut', async () => {
    const at = await goTo('pan=0&tilt=-8&zoom=1');
    const line = await wire(new URL(base).port);
    try {
      const page = await openLive(`http://127.0.0.1:${line.port}/`);
      await settled(page);
      await holdRight(page);
      await moves(at);
      line.cut();
      await page.getByText(/Reconnecting in \d+ s/).first().waitFor();
      await shoot(page, 'reconnecting-dark-desktop');
      const a = await atRest(); // by itself, while the button is still held
      await sleep(700);
      near((await position()).pan, a.pan, 0.01, 'a dead line stops the camera');
      await page.mouse.up();
      line.mend();
      await live(page);
      await advances(page, 10);
      await until('the position line is back', async () => /°/.test(await page.textContent('[data-test=position]')));
    } finally {
      line.close();
    }
  });

  const COMPRESSION = 'Image.I0.Appearance.Compression';
  test('stream_sets_reads_back_and_undoes', async () => {
    const page = await openLive();
    const n = await shown(page);
    await toPlace(page, 'Stream');
    const field = page.getByRole('textbox', { name: 'Compression' });
    await field.waitFor();
    const from = await param(COMPRESSION);
    await field.fill('47');
    await field.press('Enter');
    await becomes(COMPRESSION, '47');
    await page.locator('.toast', { hasText: '47' }).getByRole('button', { name: 'Undo' }).click();
    await becomes(COMPRESSION, from);
    await field.fill('470');
    await field.press('Enter');
    await page.locator('.param .error').waitFor();
    check((await param(COMPRESSION)) === from, 'a bad value changes nothing');
    await until('the picture goes on meanwhile', async () => (await shown(page)) > n);
    await page.reload();
    await page.getByRole('heading', { level: 1, name: 'Stream' }).waitFor();
  });

  test('another_page_hears_of_changes', async () => {
    const page = await openLive();
    await toPlace(page, 'Stream');
    const field = page.getByRole('textbox', { name: 'Compression' });
    await field.waitFor();
    await set(COMPRESSION, 33);
    await until('33 is shown', async () => (await field.inputValue()) === '33');
  });

  test('viewers_see_no_controls', async () => {
    await addViewer();
    const page = await openLive(base, {}, viewer);
    await page.getByRole('button', { name: 'Snapshot' }).waitFor(); // the tools are there
    await until('it is known what the head can do', async () => /°/.test(await page.textContent('[data-test=position]')));
    check((await page.getByRole('button', { name: 'Home' }).count()) === 0, 'no home button');
    check((await page.getByRole('slider').count()) === 0, 'no zoom');
    const before = await position();
    const b = await box(page);
    await page.mouse.click(b.x + b.width * 0.8, b.y + b.height * 0.5);
    await page.keyboard.press('ArrowRight');
    await sleep(500);
    near((await position()).pan, before.pan, 0.01, 'nothing moves');
  });

  test('phone_fits_and_steers_by_touch', async () => {
    await goTo('pan=0&tilt=-8&zoom=1');
    const page = await openLive(base, { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 });
    const before = await settled(page);
    await fits(page);
    const b = await box(page);
    near(b.width / b.height, 16 / 9, 0.03, '16:9');
    check(b.y < 5 && Math.abs(b.width - 390) < 2, 'the picture is at the top, as wide as the page');
    const nav = await page.getByRole('navigation').boundingBox();
    check(nav.y > 700, 'the bar is at the bottom');
    await page.touchscreen.tap(b.x + b.width * 0.7, b.y + b.height * 0.5);
    const tapped = await arrives(page, 'a tap centres', (p) => p.pan > before.pan + 8);
    const cdp = await page.context().newCDPSession(page);
    const touch = (type, ...points) => cdp.send('Input.dispatchTouchEvent', { type, touchPoints: points.map(([x, y], id) => ({ x, y, id })) });
    const y = b.y + b.height * 0.5;
    await touch('touchStart', [150, y]);
    for (let x = 155; x <= 250; x += 5) await touch('touchMove', [x, y]);
    await touch('touchEnd');
    await arrives(page, 'one finger drags the scene', (p) => p.pan < tapped.pan - 8);
    await touch('touchStart', [170, y], [200, y]);
    for (let d = 15; d <= 90; d += 5) await touch('touchMove', [185 - d, y], [185 + d, y]);
    await touch('touchEnd');
    await until('two fingers zoom', async () => (await position()).zoom > 300);
    await page.getByRole('button', { name: 'Home' }).tap();
    await until('home', async () => {
      const p = await position();
      return Math.abs(p.pan) < 0.05 && p.zoom <= 2 && !p.moving;
    });
    const pad = await page.locator('.pad').boundingBox();
    await touch('touchStart', [pad.x + pad.width / 2, pad.y + pad.height / 2]);
    await touch('touchMove', [pad.x + pad.width * 0.9, pad.y + pad.height / 2]);
    await until('the thumb stick moves', async () => (await position()).pan > 5);
    await touch('touchEnd');
    await atRest();
    await goTo('pan=0&tilt=-8&zoom=1');
    await shoot(page, 'live-dark-phone');
    await axeClean(page, 'live on a phone');
    await toPlace(page, 'System');
    await page.getByRole('heading', { level: 1, name: 'System' }).waitFor();
    await fits(page); // no sideways scrolling in System
    near((await box(page)).y, 0, 2, 'the picture stays at the top');
    await shoot(page, 'system-dark-phone');
    await page.emulateMedia({ colorScheme: 'light' });
    await shoot(page, 'system-light-phone');
    await toPlace(page, 'Live');
    await shoot(page, 'live-light-phone');
    await page.setViewportSize({ width: 844, height: 390 });
    await fits(page); // nor in landscape
    await shoot(page, 'live-light-landscape');
  });

  test('every_panel_has_the_same_head', async () => {
    const titles = { Masks: 'Privacy masks', Views: 'View areas', PTZ: 'Pan, tilt, zoom', Install: 'Installation' }; // where the menu has a shorter word
    const page = await openLive();
    for (const size of [{ width: 1280, height: 800 }, { width: 390, height: 844 }]) {
      await page.setViewportSize(size);
      let first;
      for (const place of ['Stage', 'System', 'Image', 'Stream', 'Overlays', 'Masks', 'Views', 'PTZ', 'Audio', 'Install']) {
        await toPlace(page, place);
        const head = page.locator('.panel > header');
        const title = await still(head.getByRole('heading', { level: 1, name: titles[place] ?? place, exact: true }));
        first ??= title;
        near(title.x, first.x, 1, `${place}: the title's left`);
        near(title.y, first.y, 1, `${place}: the title's top`);
        const lead = head.locator('.hint').first();
        if (await lead.count()) near((await still(lead)).y, title.y + title.height + 4, 1, `${place}: what it is for stands close below`);
      }
    }
  });

  test('every_page_is_accessible_in_both_themes', async () => {
    await goTo('pan=0&tilt=-8&zoom=1');
    const page = await openLive();
    await settled(page);
    await shoot(page, 'live-dark-desktop');
    await page.keyboard.press('i');
    await until('the delay is measured', async () => /\d ms/.test(await page.textContent('[data-test=delay]')));
    if (kit.pictures) await sleep(7000); // lines of some length
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
    await page.getByRole('heading', { level: 1, name: 'Live' }).waitFor({ state: 'attached' });
    await axeClean(page, 'live, light');
    await shoot(page, 'live-light-desktop');
    await toPlace(page, 'System');
    await page.getByLabel('Language').selectOption('de');
    await page.getByText('Zeitzone').first().waitFor();
  });
}
