// From the glass to the browser: opens the page in Chromium and prints the delay that it measures
// from the time stamps in the pictures, twice a second. usage: node glass.mjs [SECONDS]
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const tests = join(dirname(fileURLToPath(import.meta.url)), '../test/browser');
const require = createRequire(join(tests, 'package.json'));
const { chromium } = require('playwright-core');
const { startCamera, sleep, until } = await import(pathToFileURL(join(tests, 'lib.mjs')));

const seconds = Number(process.argv[2] ?? 10);
const camera = await startCamera(join(tests, '../../build/vedetted'));
const base = `http://127.0.0.1:${camera.http}`;
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});
try {
  await fetch(`${base}/axis-cgi/pwdgrp.cgi?action=add&user=root&pwd=Correct-horse-7&grp=root&sgrp=admin:operator:viewer:ptz`);
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  await page.goto(base);
  await page.fill('#user', 'root');
  await page.fill('#password', 'Correct-horse-7');
  await page.click('button.primary');
  await until('live', async () => (await page.getAttribute('.picture', 'data-kind').catch(() => '')) === 'live', 20000);
  await page.keyboard.press('i');
  await page.waitForSelector('[data-test=delay]');
  await sleep(3000);
  for (let i = 0; i < seconds * 2; i++) {
    const ms = parseFloat(await page.textContent('[data-test=delay]'));
    if (!Number.isNaN(ms)) console.log(`delay ${ms}`);
    await sleep(500);
  }
} finally {
  await browser.close();
  await camera.stop();
  camera.remove();
}
