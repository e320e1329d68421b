// Privacy masks: made, dragged and typed on the live picture while the camera moves; by mouse, keys
// and touch.
import { ask, check, grab, near, still, until } from './lib.mjs';

export function maskTests({ test, base, admin, openLive, axeClean, shoot, advances, goTo }) {
  const list = async () => JSON.parse((await ask(base, '/axis-cgi/privacymask.cgi?query=listpxjson', admin)).body.toString()).listpx;
  const clear = async () => {
    for (const m of await list())
      await ask(base, `/axis-cgi/privacymask.cgi?action=remove&name=${encodeURIComponent(m.name)}`, admin);
  };
  const points = (m) => m.polygon.split(':').map((p) => p.split(',').map(Number));
  const middle = async (locator) => {
    const b = await locator.boundingBox();
    return [b.x + b.width / 2, b.y + b.height / 2];
  };
  const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 };

  const begin = async (options) => {
    await goTo('pan=0&tilt=0&zoom=1&speed=100');
    const page = await openLive(base, options);
    await page.evaluate(() => (location.hash = '#/masks'));
    return page;
  };

  test('test_C1_masks_are_made_and_dragged_on_the_picture', async () => {
    const page = await begin();
    await page.getByText('0 of 64 masks').waitFor();
    // drawn freely, while the camera turns: each point stays where it is in the world
    const heading = async () => Number(/pan=(\S+)/.exec((await ask(base, '/axis-cgi/com/ptz.cgi?query=position', admin)).body.toString())[1]);
    await page.getByRole('button', { name: 'Draw a mask' }).click();
    const canvas = page.locator('[data-test="mask-draw"]');
    const area = await still(canvas);
    const click = (fx, fy) => page.mouse.click(area.x + fx * area.width, area.y + fy * area.height);
    await click(0.3, 0.3);
    await click(0.5, 0.25);
    await ask(base, '/axis-cgi/com/ptz.cgi?pan=6&speed=2', admin);
    await until('it turns', async () => (await heading()) > 0.5);
    await click(0.7, 0.4);
    await click(0.6, 0.7);
    await page.keyboard.press('Backspace');
    await click(0.6, 0.75);
    await page.keyboard.press('Enter');
    await page.getByText('1 of 64 masks').waitFor();
    const drawn = points((await list())[0]);
    check(drawn.length === 4, JSON.stringify(drawn));
    near(drawn[0][0], -12.5, 1.5, 'the first point lies where the camera looked then');
    // by keys alone: a triangle; and what is broken off is nothing
    await page.getByRole('button', { name: 'Draw a mask' }).click();
    await canvas.waitFor();
    for (const key of ['Space', 'Shift+ArrowRight', 'Space', 'Shift+ArrowDown', 'Space', 'Enter']) await page.keyboard.press(key);
    await page.getByText('2 of 64 masks').waitFor();
    check(points((await list())[1]).length === 3);
    await page.getByRole('button', { name: 'Draw a mask' }).click();
    await canvas.waitFor();
    await click(0.5, 0.5);
    await page.keyboard.press('Escape');
    await canvas.waitFor({ state: 'detached' });
    await clear();
    await goTo('pan=0&tilt=0&zoom=1&speed=100');
    await page.getByText('0 of 64 masks').waitFor();
    await page.getByRole('button', { name: 'Add a mask here' }).click();
    await page.getByText('1 of 64 masks').waitFor();
    const [made] = await list();
    check(points(made).length === 4, made.polygon);
    const corner = page.locator('[data-corner="0"]');
    await corner.waitFor();
    // a corner, by mouse
    const size = await grab(page, corner);
    check(size.width >= 24 && size.height >= 24, 'handles are large enough');
    let [x, y] = await middle(corner);
    await page.mouse.move(x - 80, y - 40, { steps: 6 });
    await page.mouse.up();
    await until('the corner went left and up', async () => {
      const [p] = points((await list())[0]);
      return p[0] < points(made)[0][0] - 1 && p[1] > points(made)[0][1] + 0.5;
    });
    // keys: a pixel, ten with shift
    const before = points((await list())[0])[0];
    await corner.focus();
    await page.keyboard.press('Shift+ArrowRight');
    await until('it went right', async () => points((await list())[0])[0][0] > before[0]);
    // one more corner, and away with it
    await page.getByRole('button', { name: 'New corner after corner 1' }).click();
    await until('five corners', async () => points((await list())[0]).length === 5);
    await page.locator('[data-corner="1"]').focus();
    await page.keyboard.press('Delete');
    await until('four corners', async () => points((await list())[0]).length === 4);
    // typed
    await page.getByLabel('Pan of corner 3').fill('12.5');
    await page.getByLabel('Pan of corner 3').press('Enter');
    await until('the number holds', async () => points((await list())[0])[2][0] === 12.5);
    await page.locator('[data-corner="2"][aria-label*="12.5"]').waitFor(); // and the page draws it
    // the whole mask; it stays where it is in the world while the camera turns
    const was = points((await list())[0]);
    const polygon = page.locator('polygon[data-mask]');
    [x, y] = await middle(polygon);
    await ask(base, '/axis-cgi/com/ptz.cgi?pan=4&tilt=0&speed=30', admin);
    await until('the outline moves with the world', async () => (await middle(polygon))[0] < x - 20);
    check(JSON.stringify(points((await list())[0])) === JSON.stringify(was), 'the mask itself has not moved');
    await until('at rest', async () => {
      const a = await middle(polygon);
      await advances(page, 3);
      return Math.abs((await middle(polygon))[0] - a[0]) < 0.5;
    });
    await grab(page, polygon);
    [x, y] = await middle(polygon);
    await page.mouse.move(x + 60, y, { steps: 5 });
    await page.mouse.up();
    await until('all corners went right', async () => points((await list())[0]).every((p, i) => p[0] > was[i][0] + 0.5));
    await axeClean(page, 'masks');
    await shoot(page, 'masks-dark-desktop');
    // looks, zoom, off, away and back
    await page.getByLabel('Colour', { exact: true }).selectOption('mosaic');
    await page.getByText('Mosaic: blocks along the longer side').waitFor();
    await page.getByLabel('Covers from zoom').fill('300');
    await page.getByLabel('Covers from zoom').press('Enter');
    await until('a threshold', async () => (await list())[0].zoomlowlimit === 300);
    await page.getByRole('switch', { name: /covers$/ }).click();
    await until('off', async () => (await list())[0].enabled === false);
    await page.getByRole('button', { name: /^Delete / }).click();
    await until('gone', async () => (await list()).length === 0);
    await page.locator('.toast', { hasText: 'was deleted' }).getByRole('button', { name: 'Undo' }).click();
    await until('back', async () => (await list()).length === 1);
    near(points((await list())[0])[2][0], 13, 20, 'where it was');
  }, { after: clear });

  test('test_C1_masks_by_touch_on_a_phone', async () => {
    await ask(base, '/axis-cgi/privacymask.cgi?action=add&name=door&polygon=-6,4:6,4:6,-4:-6,-4', admin);
    const page = await begin(phone);
    await page.getByRole('button', { name: 'door', exact: true }).click();
    const corner = page.locator('[data-corner="2"]');
    await corner.waitFor();
    const [x, y] = await middle(corner);
    const was = points((await list())[0])[2];
    const cdp = await page.context().newCDPSession(page);
    const touch = (type, ...at) => cdp.send('Input.dispatchTouchEvent', { type, touchPoints: at.map(([px, py], id) => ({ x: px, y: py, id })) });
    await touch('touchStart', [x, y]);
    for (let i = 1; i <= 6; i++) await touch('touchMove', [x + 5 * i, y + 2 * i]);
    await touch('touchEnd');
    await until('the corner followed the finger', async () => points((await list())[0])[2][0] > was[0] + 1);
    // drawn by taps; the first point closes it
    await page.getByRole('button', { name: 'Draw a mask' }).click();
    const canvas = page.locator('[data-test="mask-draw"]');
    const area = await canvas.boundingBox();
    for (const [fx, fy] of [
      [0.3, 0.3],
      [0.7, 0.35],
      [0.5, 0.75],
      [0.3, 0.3],
    ]) {
      await touch('touchStart', [area.x + fx * area.width, area.y + fy * area.height]);
      await touch('touchEnd');
    }
    await until('a triangle', async () => (await list()).length === 2 && points((await list())[1]).length === 3);
    await axeClean(page, 'masks on a phone');
    await shoot(page, 'masks-dark-phone');
  }, { after: clear });
}
