// The first start, logging in, and the three ways to show pictures.
import { ask, check, until } from './lib.mjs';

export function startTests(kit) {
  const { test, base, admin, open, openLive, logIn, live, advances, axeClean, shoot, secure, foundSecure } = kit;

  test('setup_checks_and_makes_the_administrator', async () => {
    const page = await open();
    await page.waitForSelector('#repeat');
    await page.getByText('plain HTTP').first().waitFor();
    foundSecure(await page.getByRole('link', { name: 'Switch to HTTPS' }).getAttribute('href'));
    check((await page.inputValue('#zone')) === 'Europe/Stockholm', "the browser's time zone is offered");
    await page.click('button.primary');
    await page.getByText('1 to 64 letters').waitFor();
    await page.fill('#user', admin.user);
    await page.fill('#password', 'abc');
    await page.getByText('Very weak').waitFor();
    await page.fill('#password', admin.password);
    await page.getByText('Strong').waitFor();
    await page.fill('#repeat', 'other');
    await page.click('button.primary');
    await page.getByText('The two passwords differ').waitFor();
    await shoot(page, 'setup-dark-desktop');
    await axeClean(page, 'setup, dark');
    await page.emulateMedia({ colorScheme: 'light' });
    await axeClean(page, 'setup, light');
    await page.setViewportSize({ width: 390, height: 844 });
    await shoot(page, 'setup-light-phone');
    await page.setViewportSize({ width: 1280, height: 800 });
    await page.fill('#repeat', admin.password);
    await page.click('button.primary');
    await live(page);
    await until('the time zone is set', async () => {
      const r = await ask(base, '/axis-cgi/param.cgi?action=list&group=Time.TimeZone', admin);
      return r.body.toString().includes('Europe/Stockholm');
    });
  }, { always: true });

  test('plain_http_keeps_no_password', async () => {
    const page = await openLive();
    const kept = await page.evaluate(() => JSON.stringify({ ...sessionStorage }) + JSON.stringify({ ...localStorage }) + document.cookie);
    check(!kept.includes(admin.password), 'the password lies in the browser');
    await page.reload();
    await live(page);
  });

  test('login_refuses_and_lets_in', async () => {
    const page = await open(secure());
    await page.waitForSelector('#password');
    await page.click('summary');
    await page.getByText('There is no recovery').waitFor();
    await axeClean(page, 'login');
    await shoot(page, 'login-dark-desktop');
    await logIn(page, { ...admin, password: 'wrong' });
    await page.getByText('User name or password is wrong').waitFor();
    await logIn(page, admin);
    await live(page);
    const cookies = await page.context().cookies();
    check(cookies.some((c) => c.httpOnly && c.secure && c.sameSite !== 'None'), 'the cookie is HttpOnly, Secure, SameSite');
    await page.reload();
    await live(page);
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.waitForSelector('#password');
    const s = await page.evaluate(() => fetch('/vedette/session').then((r) => r.json()));
    check(s.user === '', 'the session has ended on the server');
  });

  test('nothing_moves_while_a_page_fills', async () => {
    const page = await openLive();
    await page.addInitScript(() => {
      window.shifts = [];
      const note = (e) => e.sources.forEach((s) => window.shifts.push([e.value, s.node?.parentElement?.className ?? '']));
      new PerformanceObserver((l) => l.getEntries().forEach(note)).observe({ type: 'layout-shift', buffered: true });
    });
    for (const place of ['image', 'stage']) {
      await page.evaluate((p) => (location.hash = `#/${p}`), place);
      await page.reload();
      await live(page);
      await page.locator('.panel section').first().waitFor();
      await until('its numbers have come', async () => place !== 'image' || /\d/.test(await page.textContent('[data-test=eye-time]')));
      await advances(page, 10);
      const shifts = (await page.evaluate(() => window.shifts)).filter(([by]) => by > 0.01);
      check(!shifts.length, `${place}: ${JSON.stringify(shifts)}`);
    }
  });

  for (const way of ['webcodecs', 'mse', 'mjpeg'])
    test(`video_plays_by_${way}`, async () => {
      const page = await openLive();
      await page.evaluate((w) => localStorage.setItem('vedette.way', w), way);
      await page.reload();
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
    }, { full: true });
}
