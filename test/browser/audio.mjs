// Audio: the page and its meters, listening and talking beside the picture.
import { ask, check, until, toPlace } from './lib.mjs';

export function audioTests({ test, base, admin, openLive, axeClean, shoot, becomes }) {
  const status = async () => JSON.parse((await ask(base, '/vedette/audio', admin)).body.toString());

  test('audio_page_shows_levels_and_sets', async () => {
    for (const [options, name] of [
      [{}, 'audio-dark-desktop'],
      [{ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 }, 'audio-dark-phone'],
    ]) {
      const page = await openLive(base, options);
      await toPlace(page, 'Audio');
      const meter = page.getByRole('meter', { name: 'Level of the input' });
      await until('the meter moves', async () => Number(await meter.getAttribute('aria-valuenow')) > -60);
      await axeClean(page, name);
      await shoot(page, name);
      if (name === 'audio-dark-desktop') {
        await page.locator('[data-section=audio-input]').getByText('Line', { exact: true }).click();
        await becomes('AudioSource.A0.InputType', 'line');
        await until('its tone', async () => Math.abs((await status()).input.rms + 15) < 1);
        await page.getByLabel('Format', { exact: true }).selectOption('g711');
        await becomes('AudioSource.A0.AudioEncoding', 'g711');
        await until('G.711 has no bit rate', async () => (await page.getByLabel('Bit rate', { exact: true }).count()) === 0);
      }
      await page.close();
    }
  });

  test('listening_begins_muted_and_ends', async () => {
    const page = await openLive(base);
    const button = page.locator('[data-test=listen]');
    const state = () => button.getAttribute('data-state');
    check((await button.getAttribute('aria-pressed')) === 'false', 'muted at first');
    await button.click();
    await until('sound flows', async () => (await state()) === 'on');
    await button.click();
    await until('muted again', async () => (await state()) === 'off');
  });

  test('talking_comes_out_of_the_loudspeaker', async () => {
    const page = await openLive(base, { permissions: ['microphone'] });
    const button = page.locator('[data-test=talk]');
    await button.click();
    await until('somebody talks', async () => (await status()).output.talking);
    check((await status()).output.user === admin.user, 'it is known who');
    await until('the browser\'s beep is played', async () => {
      const wav = (await ask(base, '/vedette/stage/speaker?seconds=2', admin)).body;
      for (let at = 44; at + 1 < wav.length; at += 2) if (Math.abs(wav.readInt16LE(at)) > 2000) return true;
      return false;
    });
    await button.click();
    await until('the word is given back', async () => !(await status()).output.talking);
  });
}
