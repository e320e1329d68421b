// Video > Image and Installation, and focus and aids in the live view: what they set, and
// that the picture stays in sight meanwhile.
import { ask, check, freePorts, grab, near, still, until, toPlace } from './lib.mjs';

export function imageTests(kit) {
  const { test, base, admin, viewer, addViewer, program, startCamera, open, openLive, live, shown, advances, picture, fits, axeClean, shoot } = kit;
  const { position, goTo, settled } = kit;
  const I0 = 'ImageSource.I0.';
  const param = (name) => kit.param(I0 + name);
  const set = (name, value) => kit.set(I0 + name, value);
  const becomes = (name, value) => kit.becomes(I0 + name, value);
  const eye = async () => JSON.parse((await ask(base, '/vedette/eye', admin)).body.toString());
  const openAt = async (place, options = {}) => {
    const page = await openLive(base, options);
    await toPlace(page, place);
    await page.getByRole('heading', { level: 1, name: place === 'Install' ? 'Installation' : place }).waitFor();
    return page;
  };
  const drag = async (page, from, to) => {
    await page.mouse.move(...from);
    await page.mouse.down();
    await page.mouse.move(...to, { steps: 6 });
    await page.mouse.up();
  };
  const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 };

  test('image_has_every_control_the_camera_has', async () => {
    const page = await openAt('Image');
    const { can } = await eye();
    const there = (await ask(base, `/axis-cgi/param.cgi?action=list&group=${I0}`, admin)).body
      .toString()
      .split('\n')
      .map((l) => l.split('=')[0].replace(`root.${I0}`, ''))
      .filter((n) => /^(SceneProfile|DayNight|Infrared|Sensor)/.test(n));
    const count = async (name) => page.locator(`[id="${(I0 + name).replaceAll('.', '-')}"], [name="${(I0 + name).replaceAll('.', '-')}"]`).count();
    await page.locator('[data-section=noise]').waitFor();
    const needs = { DayNight: 'filter', Infrared: 'infrared', 'Sensor.WDR': 'range', 'Sensor.ToneMapping': 'range', 'Sensor.White': 'balance', 'Sensor.Red': 'balance', 'Sensor.Blue': 'balance' };
    // Those that mean something with the settings as they are at delivery.
    const later = /ManualShutter|ManualGain|Aperture$|RedBalance|BlueBalance|DefogEffect|CustomExposure|Stabilizer|CaptureMode/;
    for (const name of there.filter((n) => !later.test(n))) {
      const need = Object.entries(needs).find(([k]) => name.startsWith(k))?.[1];
      const exposure = /Exposure|Gain|ApertureLock/.test(name) && !can.exposure;
      if ((need && !can[need]) || exposure) continue;
      await until(`${name} is on the page`, async () => (await count(name)) > 0);
    }
    await axeClean(page, 'image, dark');
  });

  test('image_slider_acts_while_dragged_and_undoes', async () => {
    await set('Sensor.ColorLevel', 50);
    const page = await openAt('Image');
    const slider = page.getByRole('slider', { name: 'Saturation' });
    await slider.waitFor();
    const n = await shown(page);
    const b = await grab(page, slider);
    await page.mouse.move(b.x + b.width * 0.9, b.y + b.height / 2, { steps: 8 });
    await until('it acts before it is let go of', async () => Number(await param('Sensor.ColorLevel')) > 70);
    check(await page.locator(picture).isVisible(), 'the picture stays');
    await page.mouse.up();
    await until('let go of', async () => Number(await param('Sensor.ColorLevel')) > 85);
    const undo = (note) => page.locator('.toast', { hasText: note }).getByRole('button', { name: 'Undo' }).click();
    await undo('Saturation');
    await becomes('Sensor.ColorLevel', '50'); // where the drag began
    await until('the picture goes on', async () => (await shown(page)) > n);
    // Typed, refused at the field, set back by the section.
    const field = page.locator(`[id="${(I0 + 'Sensor.Contrast').replaceAll('.', '-')}"]`);
    await field.fill('140');
    await field.press('Enter');
    await page.getByRole('alert').first().waitFor();
    await field.fill('62');
    await field.press('Enter');
    await becomes('Sensor.Contrast', '62');
    await page.getByRole('button', { name: 'Reset Appearance' }).click();
    await becomes('Sensor.Contrast', '50');
    await undo('Appearance'); // its note stands beside that of the field
    await becomes('Sensor.Contrast', '62');
  });

  test('image_choices_set_and_show_what_belongs_to_them', async () => {
    const page = await openAt('Image');
    const { can } = await eye();
    await page.getByLabel('Scene profile').selectOption({ label: 'Vivid' });
    await becomes('SceneProfile', 'vivid');
    check((await param('Sensor.ColorLevel')) !== '50', 'a profile brings its values');
    await page.getByLabel('Scene profile').selectOption({ label: 'Forensic' });
    await becomes('Sensor.ColorLevel', '50');
    const night = page.locator('[data-section=night]');
    if (can.filter) {
      await night.getByText('Night', { exact: true }).click();
      await becomes('DayNight.IrCutFilter', 'no');
      await until('what auto needs is gone', async () => (await night.getByRole('slider').count()) === 0);
      await until('the camera says so', async () => (await eye()).night);
      await until('and the page', async () => (await page.textContent('[data-test=eye-mode]')) === 'Night');
      await page.getByRole('button', { name: 'Reset Day and night' }).click();
      await becomes('DayNight.IrCutFilter', 'auto');
    }
    if (can.balance) {
      await page.getByLabel('Light', { exact: true }).selectOption({ label: 'Manual' });
      await becomes('Sensor.WhiteBalance', 'manual');
      await page.getByRole('slider', { name: 'Red' }).waitFor();
      await page.getByLabel('Light', { exact: true }).selectOption({ label: 'Automatic' });
      await becomes('Sensor.WhiteBalance', 'auto');
    }
    if (can.exposure) {
      const box = page.locator('[data-section=exposure]');
      await box.getByLabel('Mode').selectOption({ label: 'Fixed shutter' });
      await becomes('Sensor.Exposure', 'shutter');
      await box.getByLabel('Shutter', { exact: true }).selectOption({ label: '1/500 s' });
      await becomes('Sensor.ManualShutter', '2000');
      await until('it is so', async () => (await page.textContent('[data-test=eye-time]')) === '1/500 s');
      await page.getByRole('button', { name: 'Reset Exposure' }).click();
      await becomes('Sensor.Exposure', 'auto');
      // Zones are boxes on the picture.
      await box.getByLabel('Exposure zone').selectOption({ label: 'Custom' });
      await becomes('Sensor.ExposureWindow', 'custom');
      await box.getByRole('button', { name: 'Add a zone' }).click();
      await becomes('Sensor.CustomExposureWindow.C0.WindowType', 'include');
      const zone = page.getByRole('group', { name: /^Zone 1/ });
      const whole = await still(page.locator(picture));
      const b = await grab(page, zone);
      await page.mouse.move(b.x + b.width / 2 - whole.width * 0.2, b.y + b.height / 2, { steps: 6 });
      await page.mouse.up();
      await until('the zone has moved', async () => Math.abs(Number(await param('Sensor.CustomExposureWindow.C0.Left')) - 1000) < 150);
      await shoot(page, 'image-zones-dark-desktop');
      await box.getByRole('button', { name: 'Remove Zone 1' }).click();
      await becomes('Sensor.CustomExposureWindow.C0.WindowType', 'disabled');
    }
  });

  test('live_focus_moves_and_remembers', async () => {
    if (!(await eye()).can.focus) return 'the source has no focus';
    const page = await openLive();
    await page.keyboard.press('o');
    const card = page.locator('[data-test=focus-card]');
    await card.waitFor();
    const slider = card.getByRole('slider', { name: 'Focus distance' });
    await slider.focus();
    await page.keyboard.press('Home'); // an input keeps its keys: the camera does not go home
    await until('near', async () => (await eye()).focus < 0.01);
    await becomes('Focus.Mode', 'manual');
    await card.getByText('Automatic', { exact: true }).click();
    await becomes('Focus.Mode', 'auto');
    await card.getByText('Area', { exact: true }).click();
    await becomes('Focus.Mode', 'area');
    const area = page.getByRole('group', { name: /^Area/ });
    await area.focus();
    for (let i = 0; i < 3; i++) await page.keyboard.press('Shift+ArrowRight');
    await until('the area has moved', async () => Number(await param('Focus.Area.Left')) > 3400);
    await card.getByRole('button', { name: 'Focus on a point' }).click();
    const b = await still(page.locator(picture));
    await page.mouse.click(b.x + b.width * 0.8, b.y + b.height * 0.7);
    await page.locator('.pick').waitFor({ state: 'detached' }); // the point is taken
    const recall = card.locator('[data-test=recall]');
    await recall.getByText('Remember focus here').waitFor();
    await recall.click();
    await recall.getByText('Forget focus here').waitFor();
    await until('it is remembered', async () => (await eye()).recall !== null && (await eye()).recalls === 1);
    await axeClean(page, 'focus card');
    await shoot(page, 'focus-dark-desktop');
    await recall.click();
    await recall.getByText('Remember focus here').waitFor();
    const assist = card.getByRole('switch', { name: 'Focus assistant' });
    await assist.click();
    await until('assists', async () => (await eye()).assist);
    await card.getByText(/^LED (green|amber|red)$/).waitFor();
    await assist.click();
    await until('assists no more', async () => !(await eye()).assist);
  }, { after: () => ask(base, '/axis-cgi/com/ptz.cgi?autofocus=on', admin) });

  test('image_before_is_held_against_now', async () => {
    const page = await openAt('Image');
    const button = page.locator('[data-test=compare]');
    const before = page.locator('[data-test=before] canvas');
    await until('nothing has changed yet', () => button.isDisabled());
    const colour = (selector) =>
      page.evaluate((s) => {
        const from = document.querySelector(s);
        const small = document.createElement('canvas');
        [small.width, small.height] = [64, 36];
        const context = small.getContext('2d');
        context.drawImage(from, 0, 0, 64, 36);
        const p = context.getImageData(0, 0, 64, 36).data;
        let sum = 0;
        for (let i = 0; i < p.length; i += 4) sum += Math.max(p[i], p[i + 1], p[i + 2]) - Math.min(p[i], p[i + 1], p[i + 2]);
        return sum / (p.length / 4);
      }, selector);
    const now = `${picture} canvas`;
    await until('day, in colour', async () => (await colour(now)) > 8); // after a night
    let full;
    await until('exposure and white balance stand', async () => {
      const was = await colour(now);
      await advances(page, 15);
      full = await colour(now);
      return Math.abs(full - was) < full / 30;
    });
    await page.getByRole('slider', { name: 'Saturation' }).focus();
    await page.keyboard.press('Home');
    await becomes('Sensor.ColorLevel', '0');
    await until('grey', async () => (await colour(now)) < full / 3);
    await page.locator('h1').click();
    await page.keyboard.down('b');
    await before.waitFor();
    near(await colour('[data-test=before] canvas'), full, full / 4, 'as it was');
    await page.keyboard.up('b');
    await before.waitFor({ state: 'detached' });
    await grab(page, button);
    await before.waitFor();
    await shoot(page, 'image-before-dark-desktop');
    await page.mouse.up();
    await before.waitFor({ state: 'detached' });
    // Elsewhere there is nothing to compare with.
    await ask(base, '/axis-cgi/com/ptz.cgi?rpan=40', admin);
    await until('it is gone', () => button.isDisabled());
  });

  test('boxes_and_clicks_in_a_turned_stream', async () => {
    if (!(await eye()).can.focus) return 'the source has no focus';
    const at = await goTo('pan=0&tilt=-8&zoom=1');
    const edges = { Left: 6000, Right: 8999, Top: 500, Bottom: 2999 };
    for (const [name, v] of Object.entries(edges)) await set(`Focus.Area.${name}`, v);
    await set('Focus.Mode', 'area');
    await kit.set('Image.I0.Appearance.Rotation', 90);
    const page = await openLive();
    await page.keyboard.press('o');
    const area = page.getByRole('group', { name: /^Area/ });
    await area.waitFor();
    let whole;
    await until('the picture stands upright', async () => {
      whole = await still(page.locator(picture));
      return whole.height > whole.width;
    });
    const b = await still(area);
    // Turned to the right: what is at the top comes to the right, what is right to the bottom.
    near((b.y - whole.y) / whole.height, 0.6, 0.02, 'its left edge is the upper one');
    near((whole.x + whole.width - b.x - b.width) / whole.width, 0.05, 0.02, 'its upper edge is the right one');
    await area.focus();
    for (let i = 0; i < 3; i++) await page.keyboard.press('Shift+ArrowDown');
    await until('it has moved to the right of the scene', async () => Number(await param('Focus.Area.Left')) > 6100);
    near(Number(await param('Focus.Area.Top')), 500, 20, 'and only that way');
    // A click below the middle is one to the right in the scene.
    await page.locator('[data-test=focus-card]').getByRole('button', { name: 'Close' }).click();
    await area.waitFor({ state: 'detached' });
    await settled(page);
    await page.mouse.click(whole.x + whole.width / 2, whole.y + whole.height * 0.8);
    await until('it has turned to the right', async () => (await position()).pan > at.pan + 8);
  });

  test('level_grid_and_pixel_counter', async () => {
    const at = await goTo('pan=0&tilt=-8&zoom=1');
    const page = await openLive();
    await page.getByRole('button', { name: 'Focus and aids' }).click();
    const card = page.locator('[data-test=focus-card]');
    await card.getByRole('switch', { name: 'Level grid' }).click();
    await page.locator('[data-test=grid]').waitFor();
    await card.getByRole('switch', { name: 'Pixel counter' }).click();
    const width = card.getByLabel('Width in pixels');
    await width.fill('400');
    await width.press('Enter');
    const box = page.getByRole('group', { name: /^Pixel counter/ });
    await until('400 wide', async () => / 400 × /.test(' ' + (await box.textContent())));
    const whole = await still(page.locator(picture));
    let b;
    await until('it is as wide as 400 pixels of the stream', async () => {
      b = await box.boundingBox();
      return Math.abs(b.width / whole.width - 400 / 1920) < 0.01;
    });
    // Resized by a corner, moved by the keys; neither moves the camera.
    await drag(page, [b.x + b.width, b.y + b.height], [b.x + b.width + whole.width * 0.1, b.y + b.height]);
    await until('592 wide', async () => Math.abs(Number(await width.inputValue()) - 592) <= 4);
    await box.focus();
    const left = (await box.boundingBox()).x;
    for (let i = 0; i < 4; i++) await page.keyboard.press('Shift+ArrowLeft');
    await until('forty pixels to the left', async () => Math.abs((await box.boundingBox()).x - left + (40 / 1920) * whole.width) < 1.5);
    await shoot(page, 'pixel-counter-dark-desktop');
    near((await position()).pan, at.pan, 0.001, 'the camera stands still');
    // Beside the box the picture is steered as ever.
    await card.getByRole('button', { name: 'Close' }).click();
    await card.waitFor({ state: 'detached' });
    await page.mouse.click(whole.x + whole.width * 0.75, whole.y + whole.height * 0.85);
    await until('the camera moves', async () => (await position()).pan > at.pan + 8);
  }, { full: true });

  test('installation_sets_and_asks_before_a_restart', async () => {
    const page = await openAt('Install');
    await page.locator('[data-section=steady]').getByText('High', { exact: true }).click();
    await becomes('Sensor.Stabilizer', 'high');
    await page.getByRole('button', { name: 'Reset Image stabilization' }).click();
    await becomes('Sensor.Stabilizer', 'off');
    await page.locator('[data-section=mount]').getByText('stands', { exact: true }).click();
    await becomes('SourceRotation', '180');
    await page.locator('.toast', { hasText: 'stands' }).getByRole('button', { name: 'Undo' }).click();
    await becomes('SourceRotation', '0');
    const capture = page.locator('[data-section=capture]');
    await until('the mode that is on is shown', async () => /@ \d+ fps/.test(await capture.getByLabel('Capture mode').locator('option:checked').textContent()));
    check((await capture.getByRole('button', { name: 'Save and restart' }).count()) === 0, 'nothing to save yet');
    await capture.getByText('60 Hz', { exact: true }).click();
    await capture.getByText('all streams stop').waitFor();
    check((await param('CaptureFrequency')) === '50Hz', 'not before it is said');
    await capture.getByRole('button', { name: 'Cancel' }).click();
    await capture.getByRole('button', { name: 'Save and restart' }).waitFor({ state: 'detached' });
    await page.locator('[data-test=led]').waitFor();
    await axeClean(page, 'installation, dark');
  });

  test('image_pages_on_a_phone_and_in_light', async () => {
    const page = await openAt('Image', phone);
    await page.locator('[data-section=noise]').waitFor();
    await fits(page);
    await shoot(page, 'image-dark-phone');
    await page.getByRole('slider', { name: 'Sharpness' }).scrollIntoViewIfNeeded();
    const b = await page.locator(picture).boundingBox();
    near(b.y, 0, 2, 'the picture stays at the top');
    check(b.height > 200, 'and is whole');
    await axeClean(page, 'image on a phone');
    await toPlace(page, 'Install');
    await page.locator('[data-section=mount]').waitFor();
    await fits(page);
    await shoot(page, 'install-dark-phone');
    await toPlace(page, 'Live');
    await page.getByRole('button', { name: 'Focus and aids' }).tap();
    await until('the card leaves the picture free', async () => {
      const card = await page.locator('[data-test=focus-card]').boundingBox();
      const p = await page.locator(picture).boundingBox();
      return card.y >= p.y + p.height - 1;
    });
    await shoot(page, 'focus-dark-phone');
    await page.close();
    const light = await openAt('Image');
    await light.emulateMedia({ colorScheme: 'light' });
    await light.locator('[data-section=noise]').waitFor();
    await axeClean(light, 'image, light');
    await shoot(light, 'image-light-desktop');
    await toPlace(light, 'Install');
    await light.locator('[data-section=mount]').waitFor();
    await axeClean(light, 'installation, light');
    await shoot(light, 'install-light-desktop');
  });

  test('viewers_may_look_at_the_settings', async () => {
    await addViewer();
    const page = await openLive(base, {}, viewer);
    await toPlace(page, 'Image');
    await page.getByText('This account can look').waitFor();
    await until('sliders are shut', () => page.getByRole('slider', { name: 'Saturation' }).isDisabled());
    await toPlace(page, 'Install');
    await page.getByRole('switch', { name: 'Level grid' }).click(); // this browser's own
    await page.locator('[data-test=grid]').waitFor();
    check((await page.locator('[data-test=focus]').count()) === 0, 'no focus');
  });

  test('preview_and_restart_of_a_new_camera', async () => {
    if (!program) return 'needs a camera of its own';
    const second = await startCamera(program, { ports: await freePorts(4) });
    try {
      const at = `http://127.0.0.1:${second.http}/`;
      const page = await open(at);
      const preview = page.locator('[data-test=preview]');
      await until('pictures without login', async () => Number(await preview.getAttribute('data-pictures')) > 3);
      await until('the time is told', async () => /Ends in (2 h 0|1 h 5\d) min/.test(await page.textContent('[data-test=preview-left]')));
      await page.getByRole('button', { name: 'Level grid' }).click();
      await page.locator('[data-test=grid]').waitFor();
      await axeClean(page, 'preview');
      await shoot(page, 'preview-dark-desktop');
      await page.setViewportSize({ width: 390, height: 844 });
      await fits(page);
      await shoot(page, 'preview-dark-phone');
      await page.setViewportSize({ width: 1280, height: 800 });
      await page.fill('#user', admin.user);
      await page.fill('#password', admin.password);
      await page.fill('#repeat', admin.password);
      await page.click('button.primary');
      await live(page);
      check((await fetch(new URL('/vedette/preview/video', at))).status === 401, 'the preview is over');
      // Save and restart, on the same page.
      await toPlace(page, 'Install');
      const capture = page.locator('[data-section=capture]');
      await capture.getByText('60 Hz', { exact: true }).click();
      const comes = (path) => page.waitForEvent('websocket', (s) => new URL(s.url()).pathname === path);
      await Promise.all([
        comes('/vedette/ws'), // it comes back by itself
        comes('/rtsp-over-websocket'),
        capture.getByRole('button', { name: 'Save and restart' }).click(),
      ]);
      await live(page);
      const r = await ask(at, `/axis-cgi/param.cgi?action=list&group=${I0}CaptureFrequency`, admin);
      check(/60Hz/.test(r.body.toString()), 'with what was saved');
    } finally {
      await second.stop();
      second.remove();
    }
  });
}
