// Video > Overlays: texts and pictures upon the live picture, edited there.
import { ask, grab, still, until } from './lib.mjs';

export function overlayTests({ test, base, admin, openLive, axeClean, shoot, picture, fits, param, becomes, goTo, settled }) {
  const DYNAMIC = '/axis-cgi/dynamicoverlay/dynamicoverlay.cgi';
  const json = async (method, params = {}, cgi = DYNAMIC) =>
    JSON.parse((await ask(base, cgi, { ...admin, method: 'POST', body: JSON.stringify({ apiVersion: '1.0', method, params }) })).body.toString()).data;
  const list = async () => {
    const d = await json('list');
    return [...d.textOverlays, ...d.imageOverlays].sort((a, b) => a.identity - b.identity);
  };
  const clear = async () => {
    for (const o of await list()) await json('remove', { identity: o.identity });
  };
  const turns = (speed) => ask(base, `/axis-cgi/com/ptz.cgi?continuouspantiltmove=${speed},0`, admin);
  const after = async () => {
    await turns(0);
    await clear();
    await goTo('pan=0&tilt=0&zoom=1&speed=100');
  };
  const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 };
  const openAt = async (options = {}) => {
    const page = await openLive(base, options);
    await page.evaluate(() => (location.hash = '#/overlays'));
    await page.getByRole('heading', { level: 1, name: 'Overlays' }).waitFor();
    return page;
  };

  test('overlays_text_is_added_typed_and_dragged', async () => {
    const page = await openAt();
    await page.getByRole('button', { name: 'Add text' }).click();
    const field = page.locator('[data-test=overlay-editor]').getByRole('textbox', { name: 'Text', exact: true });
    await field.fill('Gate ');
    await page.getByRole('button', { name: 'Pan', exact: true }).click();
    await until('typed and inserted', async () => (await list())[0]?.text === 'Gate #x');
    await page.locator('[data-key=textBGColor]').selectOption('red');
    await page.locator('[data-key=fontSize]').fill('60');
    await page.locator('[data-key=fontSize]').press('Enter');
    await until('colour and size', async () => {
      const o = (await list())[0];
      return o.textBGColor === 'red' && o.fontSize === 60;
    });
    await page.getByRole('button', { name: 'Top right' }).click();
    await until('placed', async () => (await list())[0].position === 'topRight');
    // Dragged by the mouse: its middle follows.
    const box = page.locator('.edit').first();
    await until('the box is where it was placed', async () => {
      const b = await box.boundingBox();
      const p = await page.locator(picture).boundingBox();
      return b && Math.abs(b.x + b.width - p.x - p.width) < 8;
    });
    const p = await still(page.locator(picture));
    await grab(page, box);
    await turns(3); // it lies on the picture, not in the world
    await page.mouse.move(p.x + p.width * 0.4, p.y + p.height * 0.7, { steps: 6 });
    await page.mouse.up();
    let at;
    await until('dragged', async () => {
      at = (await list())[0].position;
      return Array.isArray(at) && Math.hypot(at[0] + 0.2, at[1] - 0.4) < 0.03;
    });
    await turns(0);
    // ten pixels by the arrow keys
    await until('drawn anew', async () => {
      const now = await box.boundingBox();
      return Math.abs(now.x + now.width / 2 - p.x - p.width * 0.4) < 6;
    });
    await box.focus();
    await page.keyboard.press('Shift+ArrowRight');
    await until('moved by a key', async () => (await list())[0].position[0] > at[0] + 0.002);
    await axeClean(page, 'overlays');
    await page.getByRole('button', { name: /^Hide Gate/ }).click();
    await until('hidden', async () => !(await list())[0].visible);
    await page.getByRole('button', { name: /^Delete Gate/ }).click();
    await until('deleted', async () => !(await list()).length);
    await page.locator('.toast', { hasText: 'was deleted' }).getByRole('button', { name: 'Undo' }).click();
    await until('undone', async () => (await list())[0]?.text === 'Gate #x');
    await shoot(page, 'overlays');
  }, { after });

  test('overlays_pictures_are_uploaded_shown_and_refused', async () => {
    const MANAGE = '/axis-cgi/manageoverlayimages.cgi';
    for (const f of (await json('listImages', {}, MANAGE)).files) await json('deleteImage', { path: f.path }, MANAGE);
    const page = await openAt();
    const input = page.locator('input[type=file]');
    const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="200" height="80"><rect width="200" height="80" rx="12" fill="#0a7"/></svg>';
    await input.setInputFiles({ name: 'logo.svg', mimeType: 'image/svg+xml', buffer: Buffer.from(svg) });
    await page.getByText('200 × 80').waitFor();
    await page.getByRole('button', { name: 'Show logo in the picture' }).click();
    await until('shown', async () => /logo\.ovl$/.test((await list())[0]?.overlayPath ?? ''));
    // In use: it stays, and the page says why.
    await page.locator('section', { has: page.getByRole('heading', { name: 'Pictures', exact: true }) }).getByRole('button', { name: 'Delete logo' }).click();
    await page.getByText(/An overlay shows this picture/).first().waitFor();
    await input.setInputFiles({ name: 'bad.svg', mimeType: 'image/svg+xml', buffer: Buffer.from(svg.replace('<rect', '<script>1</script><rect')) });
    await page.getByRole('alert').filter({ hasText: 'script' }).waitFor();
  }, { after });

  test('overlays_compass_gets_its_north_from_the_picture', async () => {
    await goTo('pan=33&tilt=0&zoom=1');
    const page = await openAt();
    await settled(page);
    await page.locator('[id="Image-I0-OrientationAid-Enabled"]').click();
    await becomes('Image.I0.OrientationAid.Enabled', 'yes');
    await page.getByRole('button', { name: 'Set north here' }).click();
    await until('north', async () => Math.abs(Number(await param('Image.I0.OrientationAid.North')) - 33) < 0.2);
    await page.getByRole('textbox', { name: 'Street or place' }).fill('Mill Street');
    await page.getByRole('button', { name: /Add at the middle/ }).click();
    await page.getByText('Mill Street').first().waitFor();
    await becomes('Image.I0.OrientationAid.S0.Name', 'Mill Street');
    await shoot(page, 'compass');
    await page.getByRole('button', { name: 'Delete Mill Street' }).click();
    await until('gone', async () => (await param('Image.I0.OrientationAid.S0.Name')) !== 'Mill Street');
  });

  test('overlays_fit_a_phone', async () => {
    await json('addText', { text: 'Phone', position: 'center', fontSize: 80 });
    const page = await openAt(phone);
    await page.getByRole('button', { name: 'Edit Phone' }).tap();
    await page.locator('[data-test=overlay-editor]').waitFor();
    await fits(page);
    const box = page.locator('.edit').first();
    await box.waitFor();
    const b = await still(box);
    await turns(3);
    const cdp = await page.context().newCDPSession(page);
    const touch = (type, x, y) => cdp.send('Input.dispatchTouchEvent', { type, touchPoints: x === undefined ? [] : [{ x, y }] });
    await touch('touchStart', b.x + b.width / 2, b.y + b.height / 2);
    await touch('touchMove', b.x + b.width / 2 + 40, b.y + b.height / 2 + 20);
    await touch('touchEnd');
    await until('dragged by a finger', async () => Array.isArray((await list())[0].position));
    await shoot(page, 'overlays-phone');
  }, { after });
}
