// PTZ: presets, limits, tours, control queue, as a user sets them on the page.
import { ask, check, near, toPlace, until } from './lib.mjs';

export function ptzTests(kit) {
  const { test, base, admin, openLive, axeClean, shoot, picture, fits, param, becomes, goTo, position, settled } = kit;
  const state = async () => JSON.parse((await ask(base, '/vedette/ptz', admin)).body.toString());
  const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 };
  const openPtz = async (options = {}) => {
    const page = await openLive(base, options);
    await toPlace(page, 'PTZ');
    await page.getByRole('heading', { level: 1, name: 'Pan, tilt, zoom' }).waitFor();
    return page;
  };
  const clean = async () => {
    await ask(base, '/axis-cgi/com/ptzconfig.cgi?removeallserverpresets=yes', admin);
    const { tours, recordings } = await state();
    for (const t of tours) await ask(base, `/axis-cgi/param.cgi?action=remove&group=GuardTour.G${t.id}`, admin);
    for (const r of recordings) await ask(base, `/axis-cgi/recordedtour/removetour.cgi?id=${r.id}`, admin);
  };

  test('ptz_presets_on_the_page_and_by_key', async () => {
    await goTo('pan=30&tilt=-5&zoom=500');
    const page = await openPtz();
    const box = page.locator('[data-section=presets]');
    await box.getByLabel('Name of the new preset').fill('Gate');
    await box.getByRole('button', { name: 'Add this view' }).click();
    await box.getByRole('button', { name: /^2\. Gate/ }).waitFor();
    await becomes('PTZ.Preset.P0.Position.P2.Name', 'Gate');
    // Renamed; made home; its view replaced.
    await box.getByRole('button', { name: 'Rename Gate' }).click();
    await box.getByLabel('New name').fill('Main gate');
    await box.getByLabel('New name').press('Enter');
    await becomes('PTZ.Preset.P0.Position.P2.Name', 'Main gate');
    await box.getByRole('button', { name: 'Make Main gate home' }).click();
    await becomes('PTZ.Preset.P0.HomePosition', '2');
    await goTo('pan=-20&tilt=0&zoom=1');
    await settled(page);
    await box.getByRole('button', { name: 'Main gate: take this view instead' }).click();
    await until('looks there', async () => Math.abs((await state()).presets[1].pan + 20) < 0.1);
    await axeClean(page, 'PTZ, dark');
    await shoot(page, 'ptz-dark-desktop');
    // In the live view: a chip, and the keys.
    await toPlace(page, 'Live');
    const chip = page.getByRole('group', { name: 'Presets' }).getByRole('button', { name: /Main gate/ });
    await chip.waitFor();
    await page.keyboard.press('1');
    await until('at preset 1', async () => (await state()).on === 1);
    await chip.click();
    await until('at preset 2', async () => (await state()).on === 2);
    await until('the chip says so', async () => (await chip.getAttribute('aria-pressed')) === 'true');
    await until('it looks there', async () => Math.abs((await position()).pan + 20) < 0.1);
    await page.keyboard.press('1');
    await until('away', async () => (await state()).on === 1);
    await page.keyboard.press('0');
    await until('0 is home', async () => (await state()).on === 2);
  }, { after: clean });

  test('ptz_limits_are_set_here', async () => {
    await goTo('pan=25&tilt=0&zoom=1');
    const page = await openPtz();
    await settled(page);
    const box = page.locator('[data-section=limits]');
    await box.getByRole('button', { name: 'Right: set here' }).click();
    await until('a limit', async () => Math.abs(Number(await param('PTZ.Limit.L1.MaxPan')) - 25) < 0.1);
    await until('it is shown', async () => /25/.test(await page.textContent('[data-test=limit-MaxPan]')));
    near((await goTo('pan=90')).pan, 25, 0.1, 'no further');
    await page.locator('.wall.panMax').waitFor();
    await page.getByRole('button', { name: 'Right: no limit' }).click();
    await becomes('PTZ.Limit.L1.MaxPan', '180');
  }, { after: clean });

  test('ptz_guard_tour_is_made_run_and_interrupted', async () => {
    for (const [name, pan] of [['Left', -30], ['Right', 30]]) {
      await goTo(`pan=${pan}&tilt=0&zoom=1&speed=100`);
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
  }, { after: clean });

  test('ptz_recorded_tour_and_queue', async () => {
    const page = await openPtz(phone);
    await fits(page);
    check(await page.locator(picture).isVisible(), 'the picture stays');
    const rec = page.locator('[data-section=recorded]');
    await rec.getByLabel('Name of the recording').fill('Ride');
    await rec.getByRole('button', { name: 'Start recording' }).click();
    await rec.getByRole('button', { name: 'Stop recording' }).waitFor();
    await goTo('rpan=10');
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
    const who = (words) => queue.locator('[data-test=control-who]', { hasText: words }).waitFor();
    const asks = queue.getByRole('button', { name: 'Ask for control' });
    const gives = queue.getByRole('button', { name: 'Release control' });
    // Who moved the camera last controls it: this test's own calls, or the page.
    await ask(base, '/axis-cgi/com/ptzqueue.cgi?control=drop', admin);
    await until('asked', async () => {
      if (await gives.isEnabled()) await gives.click({ timeout: 3000 });
      await asks.dblclick({ timeout: 3000 }); // twice, as one in a hurry does: that gives nothing back
      return true;
    });
    await who('You control');
    await until('the camera says so', async () => (await state()).control.user === 'root');
    await gives.click();
    await who('Nobody');
    await axeClean(page, 'PTZ on a phone');
    await shoot(page, 'ptz-queue-dark-phone');
    await fits(page);
  }, { after: clean });
}
