// Video > View areas: channels cut from the picture, made and dragged there; shown live.
import { ask, check, grab, still, until } from './lib.mjs';

export function viewTests({ test, base, admin, openLive, axeClean, shoot, picture, live, fits, param, becomes }) {
  const set = (q) => ask(base, `/axis-cgi/param.cgi?action=update&${q}`, { ...admin, method: 'POST' });
  const shares = async () => Promise.all(['X', 'Y', 'Width', 'Height'].map(async (leaf) => Number(await param(`Image.I1.Geometry.${leaf}`))));
  const clear = () =>
    set('Image.I1.Enabled=no&Image.I1.Appearance.MirrorEnabled=no&Image.I1.Name=View%20Area%202&Image.I1.Geometry.X=0.25&Image.I1.Geometry.Y=0.25&Image.I1.Geometry.Width=0.5&Image.I1.Geometry.Height=0.5');
  const place = async (page, name) => {
    await page.evaluate((hash) => (location.hash = hash), `#/${name}`);
  };

  test('J5_view_areas_are_added_dragged_named_and_shown', async () => {
    const page = await openLive(base);
    await place(page, 'views');
    await page.getByRole('heading', { level: 1, name: 'View areas' }).waitFor();
    await page.getByRole('button', { name: 'Add view area' }).click();
    await becomes('Image.I1.Enabled', 'yes');
    const name = page.getByRole('textbox', { name: 'Name of channel 2' });
    await name.fill('Gate');
    await name.press('Enter');
    await becomes('Image.I1.Name', 'Gate');
    // by the mouse: its lower right corner
    const handle = page.locator('.edit .se');
    await handle.waitFor();
    const p = await still(page.locator(picture));
    await grab(page, handle);
    await page.mouse.move(p.x + p.width * 0.9, p.y + p.height * 0.9, { steps: 5 });
    await page.mouse.up();
    await until('resized', async () => {
      const [x, y, w, hh] = await shares();
      return Math.abs(x - 0.25) < 0.01 && Math.abs(y - 0.25) < 0.01 && Math.abs(w - 0.65) < 0.02 && Math.abs(hh - 0.65) < 0.02;
    });
    await axeClean(page, 'views');
    await shoot(page, 'views');
    // on a phone's window, by touch: the whole frame
    await page.setViewportSize({ width: 390, height: 844 });
    await fits(page);
    const frame = page.locator('.edit').first();
    let b;
    await until('the frame lies on the small picture', async () => {
      b = await still(frame);
      return b.width < 300;
    });
    const cdp = await page.context().newCDPSession(page);
    const touch = (type, x, y) => cdp.send('Input.dispatchTouchEvent', { type, touchPoints: x === undefined ? [] : [{ x, y }] });
    const [x, y] = [b.x + b.width / 2, b.y + b.height / 2];
    await touch('touchStart', x, y);
    await touch('touchMove', x - 30, y - 20);
    await touch('touchMove', x - 60, y - 30);
    await touch('touchEnd');
    await until('moved', async () => (await shares())[0] < 0.2);
    // shown live, where it is moved within
    await page.setViewportSize({ width: 1280, height: 800 });
    await place(page, 'live');
    const chip = page.getByRole('button', { name: 'Gate', exact: true });
    await chip.click();
    await until('pressed', async () => (await chip.getAttribute('aria-pressed')) === 'true');
    await live(page);
    const zoom = async () => Number(/zoom=(\d+)/.exec((await ask(base, '/axis-cgi/com/ptz.cgi?camera=2&query=position', admin)).body.toString())?.[1]);
    check((await zoom()) === 1, 'all of it at first');
    const q = await still(page.locator(picture));
    await page.mouse.move(q.x + q.width * 0.5, q.y + q.height * 0.5);
    await page.mouse.wheel(0, -400);
    await until('zoomed within the area', async () => (await zoom()) > 1);
    // presets of its own
    await page.getByRole('button', { name: 'Add this view' }).click();
    const kept = page.getByRole('button', { name: 'Preset 2', exact: true });
    await kept.waitFor();
    await shoot(page, 'views-live');
    await page.getByRole('group', { name: 'Presets' }).getByRole('button', { name: 'Home', exact: true }).click();
    await until('home', async () => (await zoom()) === 1);
    await kept.click();
    await until('back', async () => (await zoom()) > 1);
    await page.getByRole('button', { name: 'Edit', exact: true }).click();
    await page.getByRole('button', { name: 'Remove Preset 2' }).click();
    await until('gone', async () => !/Preset 2/.test((await ask(base, '/axis-cgi/com/ptz.cgi?camera=2&query=presetposcam', admin)).body.toString()));
    // the pages of settings let the channel be chosen
    await place(page, 'stream');
    await page.getByLabel('Channel', { exact: true }).selectOption('Gate');
    await page.locator('[id="Image-I1-Appearance-MirrorEnabled"]').waitFor();
    await page.getByRole('switch', { name: 'Mirror left and right' }).click();
    await becomes('Image.I1.Appearance.MirrorEnabled', 'yes');
    check((await param('Image.I0.Appearance.MirrorEnabled')) === 'no', 'the whole picture stays as it is');
    await place(page, 'views');
    await page.getByRole('button', { name: 'Remove Gate' }).click();
    await becomes('Image.I1.Enabled', 'no');
  }, { after: clear });
}
