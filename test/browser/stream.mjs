// Video > Stream: stream settings (E3), stream profiles (E4), and what the live view shows of
// them (E9).
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { ask, check, still, until, toPlace } from './lib.mjs';

const player = readFileSync(new URL('node_modules/media-stream-player/dist/media-stream-player.min.js', import.meta.url), 'utf8');
const hlsjs = readFileSync(createRequire(import.meta.url).resolve('hls.js/dist/hls.min.js'), 'utf8');

export function streamTests(kit) {
  const { test, base, admin, viewer, addViewer, open, openLive, logIn, live, advances, fits, axeClean, shoot, secure } = kit;
  const I0 = 'Image.I0.';
  const param = (name) => kit.param(I0 + name);
  const profiles = async () => {
    const body = JSON.stringify({ apiVersion: '1.0', method: 'list', params: { streamProfileName: [] } });
    const r = await ask(base, '/axis-cgi/streamprofile.cgi', { ...admin, method: 'POST', body });
    return JSON.parse(r.body.toString()).data.streamProfile;
  };
  const removeProfiles = async () => {
    const body = JSON.stringify({ apiVersion: '1.0', method: 'remove', params: { streamProfileName: ['Door', 'Door 2', 'Gate'].map((name) => ({ name })) } });
    await ask(base, '/axis-cgi/streamprofile.cgi', { ...admin, method: 'POST', body });
  };
  const openStream = async (options = {}, who = admin) => {
    const page = await openLive(base, options, who);
    await toPlace(page, 'Stream');
    await page.getByRole('heading', { level: 1, name: 'Stream' }).waitFor();
    return page;
  };
  const field = (page, name) => page.locator(`[id="${(I0 + name).replaceAll('.', '-')}"]`);
  /** Opens the card of stream information: once a page, until that is loaded anew. */
  const info = async (page) => {
    await live(page); // it hears of keys
    await page.keyboard.press('i');
    await page.locator('.info').waitFor();
    return page.locator('.info');
  };
  const size = (page) => page.locator('.info [data-test=size]').textContent();
  const becomes = (page, what) => until(`the picture is ${what}`, async () => (await size(page)) === what);
  const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 };

  test('E3_settings_are_for_streams_that_begin_later', async () => {
    const page = await openStream();
    await field(page, 'Appearance.Resolution').selectOption('1280x720');
    await kit.becomes(`${I0}Appearance.Resolution`, '1280x720');
    await toPlace(page, 'Live');
    await info(page);
    await advances(page, 10);
    check((await size(page)) === '1920 × 1080', 'a running stream stays as it is');
    await page.reload();
    await info(page);
    await becomes(page, '1280 × 720');
  }, { full: true });

  test('E3_controls_follow_each_other', async () => {
    const page = await openStream();
    await page.locator('[data-section=rate]').waitFor();
    await field(page, 'RateControl.Mode').waitFor();
    check((await field(page, 'RateControl.MaxBitrate').count()) === 0, 'variable: no maximum');
    await field(page, 'RateControl.Mode').selectOption('mbr');
    await field(page, 'RateControl.MaxBitrate').fill('2500');
    await field(page, 'RateControl.MaxBitrate').press('Enter');
    await until('the maximum', async () => (await param('RateControl.MaxBitrate')) === '2500');
    await page.getByText('Image quality', { exact: true }).click();
    await until('priority', async () => (await param('RateControl.Priority')) === 'quality');
    await field(page, 'RateControl.Mode').selectOption('abr');
    await page.getByLabel('Storage for it, in gigabytes').fill('64');
    await page.getByLabel('Storage for it, in gigabytes').press('Enter');
    await until('the target follows', async () => (await param('RateControl.ABR.TargetBitrate')) === '846');
    await page.getByRole('button', { name: 'Reset Bitrate control' }).click();
    await until('as at delivery', async () => (await param('RateControl.Mode')) === 'vbr');
    await page.getByRole('switch', { name: 'Proxies may keep video' }).click();
    await kit.becomes('Network.HLS.SharedCache', 'yes');
    await page.getByRole('button', { name: 'Reset HTTP Live Streaming' }).click();
    await kit.becomes('Network.HLS.SharedCache', 'no');
    await page.getByRole('group', { name: 'Effort for H.265' }).getByText('High').click();
    await kit.becomes('Image.H265.Effort', 'high');
    await page.getByRole('button', { name: 'Reset Coding' }).click();
    await kit.becomes('Image.H265.Effort', 'auto');
  });

  test('E3_mirror_and_rotation', async () => {
    const page = await openStream();
    await page.getByRole('switch', { name: 'Mirror left and right' }).click();
    await until('mirrored', async () => (await param('Appearance.MirrorEnabled')) === 'yes');
    await page.getByText('90', { exact: true }).click();
    await until('turned', async () => (await param('Appearance.Rotation')) === '90');
    await page.reload();
    await toPlace(page, 'Live');
    await info(page);
    await becomes(page, '1080 × 1920');
  }, { full: true });

  test('E4_profiles_are_added_copied_previewed_deleted', async () => {
    const before = await profiles();
    const page = await openStream();
    await info(page);
    await page.getByRole('button', { name: 'Add a profile' }).click();
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('A profile needs a name.').waitFor();
    await page.getByLabel('Name', { exact: true }).fill('Door');
    await page.getByLabel('Description').fill('small and slow');
    await page.locator('#profile-resolution').selectOption('640x360');
    await page.locator('#profile-fps').fill('10');
    await page.locator('#profile-rotation').selectOption('180');
    await axeClean(page, 'a stream profile');
    await page.getByRole('button', { name: 'Save' }).click();
    await until('made', async () => (await profiles()).some((p) => p.name === 'Door'));
    const made = (await profiles()).find((p) => p.name === 'Door');
    check(made.parameters === 'videocodec=h264&resolution=640x360&fps=10&rotation=180', made.parameters);
    await page.getByRole('button', { name: 'Preview Door' }).click();
    await becomes(page, '640 × 360');
    // It stands on its head, and clicks go by that: what is left in the picture is to the right.
    const where = async () => Number((await ask(base, '/axis-cgi/com/ptz.cgi?query=position', admin)).body.toString().match(/pan=([-0-9.]+)/)[1]);
    const pan = await where();
    try {
      const b = await still(page.locator('.picture'));
      await page.mouse.click(b.x + b.width * 0.25, b.y + b.height / 2);
      await until('it has turned to the right', async () => (await where()) - pan > 8, 20000);
    } finally {
      await ask(base, '/axis-cgi/com/ptz.cgi?move=home', admin);
    }
    await page.getByRole('button', { name: 'End preview' }).click();
    await becomes(page, '1920 × 1080');
    await page.getByRole('button', { name: 'Copy Door' }).click();
    await page.locator('#profile-videocodec').selectOption('jpeg');
    await page.getByRole('button', { name: 'Save' }).click();
    await until('copied', async () => (await profiles()).some((p) => p.name === 'Door 2' && /videocodec=jpeg/.test(p.parameters)));
    await page.getByRole('button', { name: 'Edit Door 2' }).click();
    await page.getByLabel('Name', { exact: true }).fill('Gate');
    await page.getByRole('button', { name: 'Save' }).click();
    await until('renamed', async () => (await profiles()).some((p) => p.name === 'Gate') && !(await profiles()).some((p) => p.name === 'Door 2'));
    page.on('dialog', (d) => d.accept());
    for (const name of ['Gate', 'Door']) {
      await page.getByRole('button', { name: `Delete ${name}`, exact: true }).click();
      await until('deleted', async () => !(await profiles()).some((p) => p.name === name));
    }
    check((await profiles()).length === before.length, 'the others stay');
  }, { full: true, after: removeProfiles });

  test('E4_viewers_look_and_do_not_change', async () => {
    await addViewer();
    const page = await openStream({}, viewer);
    await page.getByText('This account can look, not change.').waitFor();
    await page.getByRole('button', { name: /^Preview / }).first().waitFor();
    check((await page.getByRole('button', { name: 'Add a profile' }).count()) === 0, 'nothing to add');
  });

  test('E9_resolution_follows_the_window', async () => {
    const page = await openLive(base, { viewport: { width: 900, height: 640 } });
    await info(page);
    await page.getByLabel('Adaptive').check();
    await becomes(page, '1024 × 576');
    await page.setViewportSize({ width: 560, height: 420 });
    await becomes(page, '640 × 360');
    await page.reload();
    await info(page);
    await becomes(page, '640 × 360'); // this browser keeps it
    await page.setViewportSize({ width: 1280, height: 800 });
    await page.getByLabel('Adaptive').uncheck();
    await becomes(page, '1920 × 1080');
  }, { full: true });

  test('E9_av1_by_webcodecs', async () => {
    const page = await openLive();
    const card = await info(page);
    const works = await page.evaluate(
      async () => typeof VideoDecoder !== 'undefined' && (await VideoDecoder.isConfigSupported({ codec: 'av01.0.08M.08' })).supported,
    );
    if (!works) {
      return 'this browser does not decode AV1';
    }
    await card.getByLabel('Adaptive').check();
    await card.getByLabel('Shown by').selectOption('av1');
    await until('AV1', async () => /AV1/.test(await card.textContent()));
    await live(page);
    await advances(page, 20);
    await until('its delay is known from the stamp', async () => / ms/.test(await card.locator('[data-test=delay]').textContent()));
    await card.getByLabel('Shown by').selectOption('mjpeg');
    await until('JPEG', async () => /JPEG/.test(await card.locator('dd').first().textContent()));
    await advances(page, 5);
  });

  /** A page of the camera's own origin, logged in by cookie, that shows nothing itself. */
  const bare = async () => {
    const page = await open(secure());
    await logIn(page, admin);
    await live(page);
    return page;
  };

  test('E2_mp4_plays_in_the_browser', async () => {
    const page = await bare();
    for (const [codec, type] of [['h264', 'avc1.64001E'], ['av1', 'av01.0.08M.08']]) {
      const played = await page.evaluate(async ({ codec, type }) => {
        if (!MediaSource.isTypeSupported(`video/mp4; codecs="${type}"`)) return null;
        const video = document.body.appendChild(document.createElement('video'));
        const source = new MediaSource();
        video.muted = true;
        video.src = URL.createObjectURL(source);
        await new Promise((done) => source.addEventListener('sourceopen', done, { once: true }));
        const buffer = source.addSourceBuffer(`video/mp4; codecs="${type}"`);
        const stop = new AbortController();
        const reply = await fetch(`/axis-cgi/media.cgi?container=mp4&videocodec=${codec}&resolution=640x360`, { signal: stop.signal });
        const reader = reply.body.getReader();
        const end = performance.now() + 60000;
        let first = -1;
        while (performance.now() < end) {
          const { value } = await reader.read();
          buffer.appendBuffer(value);
          await new Promise((done) => buffer.addEventListener('updateend', done, { once: true }));
          if (!video.buffered.length) continue;
          if (first < 0) {
            first = video.buffered.start(0); // where it stands without seeking
            await video.play();
          }
          if (video.currentTime > first + 1.5) break;
          const { buffered, currentTime: now } = video; // a busy machine leaves pictures out
          for (let i = 1; i < buffered.length; i++)
            if (now > buffered.end(i - 1) - 0.2 && now < buffered.start(i)) video.currentTime = buffered.start(i);
        }
        stop.abort();
        const { videoWidth, videoHeight, currentTime } = video;
        video.remove();
        return { width: videoWidth, height: videoHeight, first, seconds: currentTime - first, type: reply.headers.get('content-type') };
      }, { codec, type });
      if (!played && codec !== 'h264') continue; // this browser does not decode it
      check(played?.width === 640 && played.height === 360 && played.first < 0.2 && played.seconds > 1.5 && played.type.startsWith(`video/mp4; codecs="${type.slice(0, 4)}`), JSON.stringify(played));
    }
  });

  test('L2_hls_js_plays_with_low_latency', async () => {
    const page = await bare();
    await page.evaluate(hlsjs);
    const played = await page.evaluate(async () => {
      const video = document.body.appendChild(document.createElement('video'));
      video.muted = true;
      const hls = new Hls({ lowLatencyMode: true, enableWorker: false });
      const parts = new Set();
      const errors = [];
      hls.on(Hls.Events.ERROR, (_, d) => d.fatal && errors.push(`${d.type} ${d.details}`));
      hls.on(Hls.Events.FRAG_LOADED, (_, d) => d.part && parts.add(d.part.url));
      hls.loadSource('/hls/live.m3u8?resolution=640x360&audio=1');
      hls.attachMedia(video);
      hls.on(Hls.Events.MANIFEST_PARSED, () => video.play());
      const end = performance.now() + 60000; // a busy machine is late, and then catches up
      const plays = () => video.currentTime > 0 && parts.size >= 8 && video.readyState >= 3 && video.webkitAudioDecodedByteCount > 0 && hls.latency < 6;
      while (performance.now() < end && !errors.length && !plays())
        await new Promise((done) => setTimeout(done, 100));
      const result = { width: video.videoWidth, sound: video.webkitAudioDecodedByteCount, parts: parts.size, latency: hls.latency, target: hls.targetLatency, errors };
      hls.destroy();
      video.remove();
      return result;
    });
    check(played.width === 640 && played.parts >= 8 && played.sound > 0 && !played.errors.length, JSON.stringify(played));
    check(played.target < 2 && played.latency < 6, JSON.stringify(played));
  });

  // A page of somebody else's at the camera's own address, with the player as it is.
  test('E2_media_stream_player', async () => {
    const context = { httpCredentials: { username: admin.user, password: admin.password }, bypassCSP: true };
    const page = await open(`${base}axis-cgi/usergroup.cgi`, context);
    await page.evaluate(player);
    for (const [format, tag] of [['RTP_H264', 'video'], ['MP4_H264', 'video'], ['RTP_JPEG', 'canvas'], ['JPEG', 'img']]) {
      const shown = await page.evaluate(async ({ format, tag }) => {
        const p = document.createElement('media-stream-player');
        for (const [name, value] of Object.entries({ variant: 'basic', hostname: location.host, format, autoplay: '', resolution: '640x360' }))
          p.setAttribute(name, value);
        document.body.append(p);
        const end = performance.now() + 30000;
        const size = () => {
          const e = p.querySelector(tag) ?? p.shadowRoot?.querySelector(tag);
          if (!e) return '';
          const [w, h] = [e.videoWidth ?? e.naturalWidth ?? e.width, e.videoHeight ?? e.naturalHeight ?? e.height];
          return tag === 'video' && !(e.currentTime > 0) ? '' : `${w}x${h}`;
        };
        while (performance.now() < end && size() !== '640x360') await new Promise((done) => setTimeout(done, 50));
        const found = size() || p.innerHTML.slice(0, 300);
        p.remove();
        return found;
      }, { format, tag });
      check(shown === '640x360', `${format}: ${shown}`);
    }
    await page.context().close();
  });

  test('E3_stream_page_everywhere', async () => {
    const page = await openStream();
    await page.locator('[data-section=profiles] li').first().waitFor();
    await axeClean(page, 'stream, dark');
    await shoot(page, 'stream-dark-desktop');
    await page.emulateMedia({ colorScheme: 'light' });
    await axeClean(page, 'stream, light');
    await shoot(page, 'stream-light-desktop');
    await page.close();
    const small = await openLive(base, phone);
    await toPlace(small, 'Stream');
    await small.locator('[data-section=profiles] li').first().waitFor();
    await fits(small);
    await shoot(small, 'stream-dark-phone');
  });
}
