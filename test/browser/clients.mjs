// Players and clients that nobody here wrote, how the page is delivered, and another source.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ask, check, here, near, serve, until } from './lib.mjs';

export function clientTests(kit) {
  const { test, base, admin, program, startCamera, open, openLive, advances, box, shoot } = kit;

  test('media_stream_library_plays_in_the_browser', async () => {
    const token = (await ask(base, '/axis-cgi/rtspwssession.cgi', admin)).body.toString().trim();
    const host = new URL(base).host;
    const other = await serve({
      '/': { type: 'text/html', body: '<!doctype html><video muted></video><script src="/library.js"></script>' },
      '/library.js': { type: 'text/javascript', path: join(here, 'node_modules/media-stream-library/dist/media-stream-library.min.js') },
    });
    const page = await open(other.url, { viewport: { width: 640, height: 400 } });
    const socketUri = `ws://${host}/rtsp-over-websocket?rtspwssession=${token}`;
    const uri = `rtsp://${host}/axis-media/media.amp?videocodec=h264`;
    await page.evaluate(
      ([socketUri, uri]) => {
        const { pipelines } = window.mediaStreamLibrary;
        const p = new pipelines.Html5VideoPipeline({ ws: { uri: socketUri }, rtsp: { uri }, mediaElement: document.querySelector('video') });
        window.pipeline = p;
        p.ready.then(() => p.rtsp.play());
        p.onSourceOpen = () => p.play();
      },
      [socketUri, uri],
    );
    await until('it plays', () => page.evaluate(() => document.querySelector('video').currentTime > 1.5));
    check((await page.evaluate(() => document.querySelector('video').videoWidth)) === 1920, '1920 wide');
    other.close();
  }, { full: true });

  test('page_is_packed_and_cached', async () => {
    const get = async (path, headers) => fetch(new URL(path, base), { headers, redirect: 'manual' });
    for (const path of ['/', '/camera/index.html']) {
      const r = await get(path, { 'Accept-Encoding': 'gzip' });
      check(r.status === 200 && r.headers.get('content-encoding') === 'gzip', `${path} comes packed`);
      const again = await get(path, { 'Accept-Encoding': 'gzip', 'If-None-Match': r.headers.get('etag') });
      check(again.status === 304, `${path} is known by its tag`);
      check(/default-src 'self'/.test(r.headers.get('content-security-policy')), 'a content security policy');
    }
    const asset = /\/assets\/[^"]+\.js/.exec(await (await get('/')).text())[0];
    check(/immutable/.test((await get(asset)).headers.get('cache-control')), 'hashed names may be kept');
    check((await get('/assets/nosuch.js')).status === 401, 'strangers learn nothing of paths');
    check((await get('/assets/../index.html%00')).status === 400, 'unclean paths are refused');
  });

  const clip = '/usr/share/doc/opencv-doc/examples/data/vtest.avi';
  test('file_source_is_seen_and_steered', async () => {
    if (!program || !existsSync(clip)) return 'needs opencv-doc and a camera of its own';
    const second = await startCamera(program, { source: `file:${clip}` });
    try {
      const at = `http://127.0.0.1:${second.http}/`;
      await ask(at, '/axis-cgi/pwdgrp.cgi', {
        method: 'POST',
        body: `action=add&user=${admin.user}&pwd=${admin.password}&grp=root&sgrp=admin:operator:viewer:ptz`,
      });
      const page = await openLive(at);
      await advances(page, 10);
      await until('the head is known', async () => /×/.test(await page.textContent('[data-test=zoom]')));
      const b = await box(page);
      near(b.width / b.height, 768 / 576, 0.02, 'the shape of the clip');
      await page.mouse.move(b.x + b.width * 0.55, b.y + b.height * 0.4);
      await page.mouse.down();
      await page.mouse.move(b.x + b.width * 0.85, b.y + b.height * 0.7, { steps: 5 });
      await page.mouse.up();
      await until('the digital head zooms', async () => /3\.3×/.test(await page.textContent('[data-test=zoom]')));
      await advances(page, 5);
      await shoot(page, 'file-source-dark-desktop');
    } finally {
      await second.stop();
      second.remove();
    }
  });
}
