// The stage page: what it sets, what that does, and what it says of the picture.
import { ask, check, until, toPlace } from './lib.mjs';

export function stageTests({ test, base, admin, viewer, addViewer, openLive, live, axeClean, shoot, advances, picture, goTo }) {
  const stage = async () => JSON.parse((await ask(base, '/vedette/stage', admin)).body.toString());
  const row = (page, name) => page.locator(`[data-row="${name}"]`);
  const openStage = async (options = {}) => {
    const page = await openLive(base, options, admin);
    await toPlace(page, 'Stage');
    await page.getByRole('heading', { name: 'Stage', level: 1 }).waitFor();
    return page;
  };
  const send = (path, body, method = 'POST') => ask(base, path, { ...admin, method, body: body && JSON.stringify(body) });
  const differs = (s) => s.can.filter((r) => r.lasting !== 'once' && r.default !== undefined && s.values[r.name] !== r.default);
  /** Everything as at the start, whatever a test left. */
  const tidy = async () => {
    const { faults } = JSON.parse((await ask(base, '/vedette/stage/faults', admin)).body.toString());
    for (const f of faults) await send(`/vedette/stage/faults?id=${f.id}`, null, 'DELETE');
    const s = await stage();
    const start = Object.fromEntries(differs(s).map((r) => [r.name, r.default]));
    if (Object.keys(start).length) await send('/vedette/stage', { ...start, over: 0 });
    if (s.scenario.name !== 'default') await send('/vedette/stage/scenario', { name: 'default' });
  };

  test('stage_shows_all_that_the_camera_can_do', async () => {
    const page = await openStage();
    await page.getByText('In detail').click();
    const { can, place } = await stage();
    check(can.length > 25, 'the camera has a stage');
    for (const r of can) {
      const at = row(page, r.name);
      await until(`${r.name} is on the page once`, async () => (await at.count()) === 1);
      await at.scrollIntoViewIfNeeded();
      await at.waitFor();
    }
    await page.getByText(place, { exact: true }).waitFor();
  });

  test('stage_sets_reads_back_and_undoes', async () => {
    const page = await openStage();
    await page.getByRole('button', { name: 'Fog' }).click();
    await until('fog', async () => (await stage()).values.weather === 'fog');
    await page.getByLabel('A change takes').selectOption('0');
    const shake = row(page, 'shake').getByRole('textbox');
    await shake.fill('0.5');
    await shake.press('Enter');
    await until('it shakes', async () => (await stage()).values.shake === 0.5);
    await page.locator('.toast', { hasText: '0.5' }).getByRole('button', { name: 'Undo' }).click();
    await until('it is still', async () => (await stage()).values.shake === 0);
    await shake.fill('77');
    await shake.press('Enter');
    await row(page, 'shake').getByRole('alert').filter({ hasText: '0 to 5' }).waitFor(); // the limits, at the field
    const cover = row(page, 'cover').getByRole('textbox');
    await cover.fill('40');
    await cover.press('Enter');
    await until('a cloth over two fifths', async () => Math.abs((await stage()).values.cover - 0.4) < 0.001);
    await row(page, 'clean').getByRole('button').click();
    await until('clean', async () => (await stage()).values.cover === 0);
    await row(page, 'card').getByRole('button', { name: 'out' }).click();
    await until('the card is out', async () => (await stage()).body.card === false);
    await row(page, 'input2').getByRole('switch').click();
    await until('input 2', async () => (await stage()).body.inputs[1] === true);
    await row(page, 'speed').getByRole('combobox').selectOption('60');
    await until('the sun moves', async () => (await stage()).values.speed === 60);
    await page.getByRole('button', { name: 'Everything as at the start' }).click();
    await until('all is as at the start', async () => !differs(await stage()).length);
  }, { after: tidy });

  test('stage_sends_and_takes_away', async () => {
    const page = await openStage();
    const ids = async () => (await stage()).cast.map((m) => m.id);
    await page.getByText('In words of a scenario').click();
    const words = page.getByRole('textbox', { name: 'In words of a scenario' });
    await words.fill('woman at 2 30 facing 180');
    await words.press('Enter');
    await page.getByText('is on the stage').waitFor();
    const id = /(\S+) is on the stage/.exec(await page.getByText('is on the stage').textContent())[1];
    check((await ids()).includes(id), `${id} is there`);
    await words.fill('unicorn at 2 30');
    await words.press('Enter');
    await page.getByRole('alert').waitFor();
    await words.fill('');
    await page.getByRole('button', { name: `Remove ${id}`, exact: true }).click();
    await until(`${id} is gone`, async () => !(await ids()).includes(id));
  }, { after: tidy });

  test('stage_plays_scenarios', async () => {
    const page = await openStage();
    const playing = async () => (await stage()).scenario;
    const before = (await playing()).name;
    await page.getByText('A scenario of your own').click();
    const text = page.getByLabel('Its text');
    await text.fill('scenario mine\nplace street\nlength 60 s loop\nactor walker unicorn at 0 30\n');
    await page.getByRole('button', { name: 'Play', exact: true }).click();
    await page.getByRole('alert').filter({ hasText: /^\s*Line 4: / }).waitFor();
    check((await playing()).name === before, 'nothing has changed');
    await text.fill('scenario mine\ntitle Mine alone\nplace street\nlength 60 s loop\nactor guard man at 0 30\n');
    await page.getByRole('button', { name: 'Play', exact: true }).click();
    await until('it is played', async () => (await playing()).name === 'mine');
    await until('one is there', async () => (await stage()).cast.filter((m) => m.class).map((m) => m.model).join() === 'man');
    await until('the page shows it', async () => (await page.getByLabel('Scenario', { exact: true }).inputValue()) === 'mine');
    await page.getByLabel('Scenario', { exact: true }).selectOption(before);
    await until('the first one again', async () => (await playing()).name === before);
    // From a file, and kept in the camera: then it can be chosen, and removed.
    const own = async () => JSON.parse((await ask(base, '/vedette/stage/scenarios', admin)).body.toString()).scenarios.filter((s) => s.own);
    const kept = 'scenario kept\ntitle Kept\nplace street\nlength 60 s loop\nactor guard woman at 0 30\n';
    await page.locator('input[type=file]').setInputFiles({ name: 'kept.scenario', mimeType: 'text/plain', buffer: Buffer.from(kept) });
    await until('the text is there', async () => (await text.inputValue()) === kept);
    await page.getByRole('button', { name: 'Keep in the camera' }).click();
    await until('it is kept', async () => (await own()).map((s) => s.name).join() === 'kept');
    await page.getByLabel('Scenario', { exact: true }).selectOption('kept');
    await until('it is played', async () => (await playing()).name === 'kept');
    await page.getByRole('button', { name: 'Remove from the camera' }).click();
    await until('it is gone', async () => (await own()).length === 0);
    await page.getByLabel('Scenario', { exact: true }).selectOption(before);
    await until('and the first one again', async () => (await playing()).name === before);
  }, { after: tidy });

  test('stage_breaks_and_mends', async () => {
    const page = await openStage();
    const on = async () => JSON.parse((await ask(base, '/vedette/stage/faults', admin)).body.toString()).faults;
    await page.getByLabel('Fault', { exact: true }).selectOption('source-lost');
    await page.getByLabel('For', { exact: true }).selectOption({ label: 'until it is switched off' });
    await page.getByRole('button', { name: 'Switch on' }).click();
    await until('the camera says so', async () => (await on()).some((f) => f.kind === 'source-lost' && f.on));
    await page.getByText('The camera gets no picture from its source').waitFor();
    await page.getByRole('button', { name: 'End it: No signal' }).click();
    await until('all is well', async () => !(await on()).length);
    await page.getByText('The camera gets no picture from its source').waitFor({ state: 'hidden' });
    await page.getByLabel('Fault', { exact: true }).selectOption('net-delay');
    await page.getByLabel('By', { exact: true }).fill('99999');
    await page.getByRole('button', { name: 'Switch on' }).click();
    await page.getByRole('alert').waitFor();
    check(!(await on()).length, 'what is out of range is refused');
  }, { after: tidy });

  test('stage_is_for_administrators', async () => {
    await addViewer();
    const page = await openLive(base, {}, viewer);
    check((await page.getByRole('link', { name: 'Stage' }).count()) === 0, 'a viewer sees no stage');
    await page.goto(`${base}#/stage`);
    await page.reload();
    await live(page);
    check((await page.getByRole('heading', { name: 'Stage', level: 1 }).count()) === 0, 'nor by its address');
  });

  test('stage_survives_a_reload_and_speaks_german', async () => {
    const page = await openStage();
    await page.reload();
    await page.getByRole('heading', { name: 'Stage', level: 1 }).waitFor();
    await live(page);
    await page.evaluate(() => localStorage.setItem('vedette.language', 'de'));
    await page.reload();
    await page.getByRole('heading', { name: 'Bühne', level: 1 }).waitFor();
    await live(page);
    await page.getByRole('button', { name: 'Nebel' }).waitFor();
    const words = await page.locator('[data-row] .label').allTextContents();
    for (const english of ['lens', 'turn', 'wind to', 'temperature'])
      check(!words.includes(english), `${english} is not translated`);
  });

  test('stage_frames_the_truth', async () => {
    await goTo('pan=0&tilt=-8&zoom=1');
    const page = await openStage();
    await page.getByRole('switch', { name: 'Show the truth' }).click();
    const boxes = page.locator('[data-test=truth] [data-id]');
    await until('somebody is framed', async () => (await boxes.count()) > 0);
    await until('one of them is in the truth', async () => {
      const truth = JSON.parse((await ask(base, '/vedette/stage/truth', admin)).body.toString());
      const ids = new Set(truth.objects.map((o) => o.id));
      return (await boxes.evaluateAll((all) => all.map((e) => e.dataset.id))).some((id) => ids.has(id));
    });
    const p = await page.locator(picture).boundingBox();
    const out = await boxes.evaluateAll(
      (all, p) => all.map((e) => e.getBoundingClientRect()).filter((b) => b.x < p.x - 3 || b.right > p.x + p.width + 3 || b.y < p.y - 3).length,
      p,
    );
    check(!out, 'the frames lie on the picture');
    await shoot(page, 'stage-truth-dark-desktop');
    await toPlace(page, 'Live');
    await until('no frames elsewhere', async () => (await boxes.count()) === 0);
    await toPlace(page, 'Stage');
    await page.getByRole('switch', { name: 'Show the truth' }).click();
    await until('no frames', async () => (await boxes.count()) === 0);
  });

  test('stage_changes_the_picture', async () => {
    await goTo('pan=0&tilt=-8&zoom=1');
    const page = await openStage();
    const brightness = () =>
      page.evaluate(() => {
        const small = Object.assign(document.createElement('canvas'), { width: 32, height: 18 }).getContext('2d');
        small.drawImage(document.querySelector('.picture canvas'), 0, 0, 32, 18);
        const d = small.getImageData(0, 0, 32, 18).data;
        return d.reduce((sum, v, i) => sum + (i % 4 === 1 ? v : 0), 0) / (32 * 18);
      });
    await page.getByRole('button', { name: 'Noon' }).click();
    let noon;
    await until('noon is bright', async () => (noon = await brightness()) > 50);
    await page.getByRole('button', { name: 'Night' }).click();
    await until('it is dark', async () => (await brightness()) < noon / 2);
    await until('the clock says so', async () => (await page.locator('.clock').textContent()) === '23:30');
    await until('the exposure follows: the lamps are seen', async () => (await brightness()) > 4);
    await shoot(page, 'stage-night-dark-desktop');
    // With the keyboard, too: an hour is four steps.
    await page.getByRole('slider', { name: 'Hour' }).focus();
    for (let i = 0; i < 4; i++) await page.keyboard.press('ArrowLeft');
    await until('half past ten', async () => Math.abs((await stage()).values.hour - 22.5) < 0.01);
    await page.getByRole('button', { name: 'Noon' }).click();
    await until('it is day', async () => (await brightness()) > noon * 0.7);
  }, { after: tidy });

  test('stage_shows_whom_it_sends_in_the_truth', async () => {
    await goTo('pan=0&tilt=-8&zoom=1');
    const page = await openStage();
    await page.getByRole('switch', { name: 'Show the truth' }).click();
    await page.getByLabel('Who', { exact: true }).selectOption('woman');
    await page.getByLabel('Where', { exact: true }).selectOption({ label: 'waits at the kerb' });
    await page.getByRole('button', { name: 'Send', exact: true }).first().click();
    const said = await page.getByText('is on the stage').textContent();
    const id = /(\S+) is on the stage/.exec(said)[1];
    const frame = page.locator(`[data-test=truth] [data-id="${id}"]`);
    await until(`${id} is framed`, async () => (await frame.count()) === 1);
    await shoot(page, 'stage-sent-dark-desktop');
    await page.locator('.toast', { hasText: id }).getByRole('button', { name: 'Undo' }).click();
    await until(`${id} is gone`, async () => (await frame.count()) === 0);
  }, { after: tidy });

  test('stage_is_accessible_and_fits_everywhere', async () => {
    const page = await openStage();
    await page.getByText('In detail').click();
    await axeClean(page, 'stage, dark');
    await page.getByText('In detail').click();
    await shoot(page, 'stage-dark-desktop');
    await page.emulateMedia({ colorScheme: 'light' });
    await axeClean(page, 'stage, light');
    await row(page, 'scenario').evaluate((e) => e.scrollIntoView());
    await shoot(page, 'stage-light-desktop');
    await page.setViewportSize({ width: 390, height: 844 });
    await until('nothing is too wide for a phone', () =>
      page.evaluate(() => ![...document.querySelectorAll('aside *')].some((e) => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest('.visually-hidden'))),
    );
    await until('the picture stays on top', async () => Math.abs((await page.locator(picture).boundingBox()).width - 390) < 1);
    await axeClean(page, 'stage, phone');
    await shoot(page, 'stage-light-phone');
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.locator('#stage-group-faults').evaluate((e) => e.scrollIntoView());
    await shoot(page, 'stage-dark-phone');
  });
}
