// PTZ: presets, limits, tours, control queue, as a user sets them on the page.
import { ask, check, near, until } from './lib.mjs';

export function ptzTests({ test, base, admin, openLive, axeClean, shoot, picture, goTo, position, atRest }) {
  const state = async () => JSON.parse((await ask(base, '/vedette/ptz', admin)).body.toString());
  const param = async (name) => (await ask(base, `/axis-cgi/param.cgi?action=list&group=${name}`, admin)).body.toString().trim().split('=')[1];
  const set = (name, value) => ask(base, `/axis-cgi/param.cgi?action=update&${name}=${value}`, admin);
  const becomes = (name, value) => until(`${name} is ${value}`, async () => (await param(name)) === value);
  const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 };
  const openPtz = async (options = {}) => {
    const page = await openLive(base, options);
    await page.getByRole('link', { name: 'PTZ' }).click();
    await page.getByRole('heading', { level: 1, name: 'Pan, tilt, zoom' }).waitFor();
    return page;
  };
  const clean = async () => {
    await ask(base, '/axis-cgi/com/ptzconfig.cgi?removeallserverpresets=yes', admin);
    for (const t of (await state()).tours) await ask(base, `/axis-cgi/param.cgi?action=remove&group=GuardTour.G${t.id}`, admin);
  };

  test('ptz_presets_on_the_page_and_by_key', async () => {
    await clean();
    await goTo('pan=30&tilt=-5&zoom=500');
    await atRest();
    const page = await openPtz();
    const box = page.locator('[data-section=presets]');
    await box.getByLabel('Name of the new preset').fill('Gate');
    await box.getByRole('button', { name: 'Add this view' }).click();
    await box.getByRole('button', { name: /^2\. Gate/ }).waitFor();
    check((await param('PTZ.Preset.P0.Position.P2.Name')) === 'Gate', 'kept as a parameter');
    // Renamed; made home; its view replaced.
    await box.getByRole('button', { name: 'Rename Gate' }).click();
    await box.getByLabel('New name').fill('Main gate');
    await box.getByLabel('New name').press('Enter');
    await becomes('PTZ.Preset.P0.Position.P2.Name', 'Main gate');
    await box.getByRole('button', { name: 'Make Main gate home' }).click();
    await becomes('PTZ.Preset.P0.HomePosition', '2');
    await goTo('pan=-20&tilt=0&zoom=1');
    await atRest();
    await box.getByRole('button', { name: 'Main gate: take this view instead' }).click();
    await until('looks there', async () => Math.abs((await state()).presets[1].pan + 20) < 0.1);
    await axeClean(page, 'PTZ, dark');
    await shoot(page, 'ptz-dark-desktop');
    // In the live view: a chip, and the keys.
    await page.getByRole('link', { name: 'Live' }).click();
    const chip = page.getByRole('group', { name: 'Presets' }).getByRole('button', { name: /Main gate/ });
    await chip.waitFor();
    await page.keyboard.press('1');
    await until('at preset 1', async () => (await state()).on === 1);
    await chip.click();
    await until('at preset 2', async () => (await state()).on === 2);
    await until('the chip says so', async () => (await chip.getAttribute('aria-pressed')) === 'true');
    near((await position()).pan, -20, 0.1, 'pan');
    await page.keyboard.press('1');
    await until('away', async () => (await state()).on === 1);
    await page.keyboard.press('0');
    await until('0 is home', async () => (await state()).on === 2);
    await page.context().close();
    await clean();
  });

  test('ptz_limits_are_set_here', async () => {
    await goTo('pan=25&tilt=0&zoom=1');
    await atRest();
    const page = await openPtz();
    const box = page.locator('[data-section=limits]');
    await box.getByRole('button', { name: 'Right: set here' }).click();
    await until('a limit', async () => Math.abs(Number(await param('PTZ.Limit.L1.MaxPan')) - 25) < 0.1);
    await until('it is shown', async () => /25/.test(await page.textContent('[data-test=limit-MaxPan]')));
    await page.keyboard.press('Escape');
    await goTo('pan=90');
    near((await atRest()).pan, 25, 0.1, 'no further');
    await page.locator('.wall.panMax').waitFor();
    await page.getByRole('button', { name: 'Right: no limit' }).click();
    await becomes('PTZ.Limit.L1.MaxPan', '180');
    await page.context().close();
  });

  test('ptz_guard_tour_is_made_run_and_interrupted', async () => {
    await clean();
    for (const [name, pan] of [['Left', -30], ['Right', 30]]) {
      await goTo(`pan=${pan}&tilt=0&zoom=1&speed=100`);
      await atRest();
      await ask(base, `/axis-cgi/com/ptzconfig.cgi?setserverpresetname=${name}`, admin);
    }
    const page = await openPtz();
    const box = page.locator('[data-section=tours]');
    await box.getByRole('button', { name: 'New guard tour' }).click();
    await box.getByLabel('Name', { exact: true }).fill('Night round');
    for (let i = 0; i < 3; i++) await box.getByRole('button', { name: 'Add a step' }).click();
    await box.getByLabel('Preset of step 1').selectOption({ label: 'Left' });
    await box.getByLabel('Seconds to look at step 1').fill('2');
    await box.getByLabel('Speed to step 1').fill('100');
    await box.getByLabel('Seconds to look at step 2').fill('2');
    await box.getByLabel('Seconds to look at step 3').fill('600');
    await box.getByRole('button', { name: 'Step 3 earlier' }).click();
    await shoot(page, 'ptz-tour-form-dark-desktop');
    await box.getByRole('button', { name: 'Save' }).click();
    await box.getByRole('button', { name: 'Start Night round' }).waitFor();
    const steps = (await state()).tours[0].steps.map((s) => [s.preset, s.waitS]);
    check(JSON.stringify(steps) === JSON.stringify([[2, 2], [3, 600], [2, 2]]), JSON.stringify(steps));
    await box.getByRole('button', { name: 'Start Night round' }).click();
    await until('at the second step', async () => (await state()).on === 3);
    await until('the page says where it is', async () => /at Right for \d+ s/.test(await page.textContent('[data-test=tour-0]')));
    // A user's move interrupts it.
    await page.getByRole('button', { name: /^1\. Home/ }).click();
    await until('it waits', async () => /waits: root/.test(await page.textContent('[data-test=tour-0]')));
    await box.getByRole('button', { name: 'Stop Night round' }).click();
    await becomes('GuardTour.G0.Running', 'no');
    await box.getByRole('button', { name: 'Remove Night round' }).click();
    await until('gone', async () => (await state()).tours.length === 0);
    await page.context().close();
    await clean();
  });

  test('ptz_recorded_tour_and_queue', async () => {
    const page = await openPtz(phone);
    const fits = () => page.evaluate(() => document.documentElement.scrollWidth <= innerWidth);
    check(await fits(), 'nothing sticks out on a phone');
    check(await page.locator(picture).isVisible(), 'the picture stays');
    const rec = page.locator('[data-section=recorded]');
    await rec.getByLabel('Name of the recording').fill('Ride');
    await rec.getByRole('button', { name: 'Start recording' }).click();
    await rec.getByRole('button', { name: 'Stop recording' }).waitFor();
    await goTo('pan=10');
    await atRest();
    await rec.getByRole('button', { name: 'Stop recording' }).click();
    await rec.getByRole('button', { name: 'Play Ride' }).click();
    await until('it plays', async () => (await state()).recordings[0].state !== 'idle');
    await rec.getByRole('button', { name: 'Stop Ride' }).click();
    await until('stopped', async () => (await state()).recordings[0].state === 'idle');
    await rec.getByRole('button', { name: 'Remove Ride' }).click();
    await until('gone', async () => (await state()).recordings.length === 0);
    const queue = page.locator('[data-section=control]');
    await queue.getByRole('switch').click();
    await becomes('PTZ.Various.V1.CtlQueueing', 'true');
    const mine = async () => /You control/.test(await page.textContent('[data-test=control-who]'));
    const asks = queue.getByRole('button', { name: 'Ask for control' });
    await until('it is me', async () => {
      if (await mine()) return true;
      if (await asks.isVisible()) await asks.click();
      return false;
    });
    check((await state()).control.user === 'root', 'the camera says so');
    await queue.getByRole('button', { name: 'Release control' }).click();
    await until('nobody', async () => /Nobody/.test(await page.textContent('[data-test=control-who]')));
    await axeClean(page, 'PTZ on a phone');
    await shoot(page, 'ptz-queue-dark-phone');
    check(await fits(), 'still nothing sticks out');
    await set('PTZ.Various.V1.CtlQueueing', 'false');
    await page.context().close();
  });
}
