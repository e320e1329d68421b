// What the browser tests stand on: a camera of their own, a Digest client that the
// page's authors did not write into the page, and a wire that can be cut.
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, chmodSync, rmSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const here = dirname(fileURLToPath(import.meta.url));
export const sleep = (ms) => new Promise((r) => setTimeout(r, ms));

/** ms that a busy machine is given for what a quiet one does at once. */
export const PATIENCE = 60000;

/** Waits until the probe is true. A probe that throws has not found it yet: what it looks for may
 * just be drawn anew. */
export async function until(what, probe, ms = PATIENCE, every = 50) {
  const end = Date.now() + ms;
  for (;;) {
    let trouble = '';
    try {
      const value = await probe();
      if (value) return value;
    } catch (e) {
      trouble = ` (${String(e.message).split('\n')[0]})`;
    }
    if (Date.now() > end) throw new Error(`not within ${ms} ms: ${what}${trouble}`);
    await sleep(every);
  }
}

export function check(ok, what) {
  if (!ok) throw new Error(what);
}

export function near(a, b, tolerance, what) {
  if (!(Math.abs(a - b) <= tolerance)) throw new Error(`${what}: ${a} is not ${b} ± ${tolerance}`);
}

/** Where something is once it stands still: a page that is still being filled pushes things about. */
export async function still(locator) {
  let last = null;
  await until('it stands still', async () => {
    const b = await locator.boundingBox();
    const same = b && last && ['x', 'y', 'width', 'height'].every((k) => b[k] === last[k]);
    last = b;
    return same;
  }, PATIENCE, 100);
  return last;
}

/** Takes hold of something with the mouse, where it stands still and nothing lies over it; fx and
 * fy are shares of its box. Returns the box. */
export async function grab(page, locator, fx = 0.5, fy = 0.5) {
  let b;
  await until('it can be held', async () => {
    b = await still(locator);
    const at = [b.x + b.width * fx, b.y + b.height * fy];
    await page.mouse.move(...at);
    return locator.evaluate((e, [x, y]) => e.contains(document.elementFromPoint(x, y)), at);
  });
  await page.mouse.down();
  return b;
}

/** Goes to a place by the menu; on a phone it may stand behind "More". */
export async function toPlace(page, name) {
  const link = page.getByRole('link', { name, exact: true });
  const more = page.getByRole('button', { name: 'More', exact: true });
  await link.or(more).first().waitFor(); // the menu is there
  if (!(await link.isVisible())) await more.click();
  await link.click();
}

/** Ports that nobody listens on just now, for a camera that shall keep its address. */
export async function freePorts(n) {
  const servers = await Promise.all(
    Array.from({ length: n }, () => new Promise((done) => {
      const s = net.createServer().listen(0, '127.0.0.1', () => done(s));
    })),
  );
  const ports = servers.map((s) => s.address().port);
  await Promise.all(servers.map((s) => new Promise((done) => s.close(done))));
  return ports;
}

/** A camera with its own state folder on free ports. */
export async function startCamera(program, { state, ports = [0, 0, 0, 0], source = 'virtual' } = {}) {
  const own = !state;
  if (own) {
    state = mkdtempSync(join(tmpdir(), 'vedette-browser-'));
    chmodSync(state, 0o755);
    state = join(state, 'state');
  }
  rmSync(join(state, 'run/ready.json'), { force: true });
  const args = ['--state', state, '--bind', '127.0.0.1', '--source', source, '--seed', '1'];
  ['http', 'https', 'rtsp', 'rtsps'].forEach((name, i) => args.push(`--${name}-port`, String(ports[i])));
  const child = spawn(resolve(program), args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  for (const s of [child.stdout, child.stderr]) s.on('data', (d) => (log = (log + d).slice(-20000)));
  let ended = null;
  child.on('exit', (code, signal) => (ended = signal ?? code));
  const camera = {
    state,
    child,
    log: () => log,
    async stop() {
      if (ended === null) {
        child.kill('SIGTERM');
        await until('the camera ends', () => ended !== null).catch(() => child.kill('SIGKILL'));
      }
    },
    remove() {
      if (own) rmSync(dirname(state), { recursive: true, force: true });
    },
  };
  const ready = join(state, 'run/ready.json');
  await until('the camera is ready', () => ended !== null || existsSync(ready));
  if (ended !== null) throw new Error(`the camera ended with ${ended}\n${log}`);
  Object.assign(camera, JSON.parse(readFileSync(ready, 'utf8')));
  return camera;
}

const hash = (name, text) => createHash(name).update(text).digest('hex');

const challenges = new Map(); // by origin: what the camera last asked with, and how often it was used

/** One request with Digest; resolves with status, headers and body. */
export async function ask(base, path, { user, password, method = 'GET', body } = {}) {
  const url = new URL(path, base);
  const once = (headers) =>
    new Promise((done, fail) => {
      const q = http.request(url, { method, headers, agent: false }, (r) => {
        const parts = [];
        r.on('data', (d) => parts.push(d));
        r.on('end', () => done({ status: r.statusCode, headers: r.headers, body: Buffer.concat(parts) }));
        r.on('error', fail);
      });
      q.on('error', fail);
      q.end(body);
    });
  const form = body ? { 'Content-Type': 'application/x-www-form-urlencoded', 'Content-Length': Buffer.byteLength(body) } : {};
  const known = user && challenges.get(url.origin);
  const first = await once(known ? { ...form, Authorization: answerTo(known) } : form);
  if (first.status !== 401 || !user) return first;
  const line = String(first.headers['www-authenticate']);
  const field = (name) => new RegExp(`${name}="?([^",]+)`).exec(line)?.[1];
  const fresh = { realm: field('realm'), nonce: field('nonce'), sha: /algorithm=SHA-256/.test(line), count: 0 };
  challenges.set(url.origin, fresh);
  return once({ ...form, Authorization: answerTo(fresh) });

  function answerTo(c) {
    const h = (t) => hash(c.sha ? 'sha256' : 'md5', t);
    const nc = (++c.count).toString(16).padStart(8, '0');
    const cnonce = randomBytes(8).toString('hex');
    const uri = url.pathname + url.search;
    const ha1 = h(`${user}:${c.realm}:${password}`);
    const response = h(`${ha1}:${c.nonce}:${nc}:${cnonce}:auth:${h(`${method}:${uri}`)}`);
    return (
      `Digest username="${user}", realm="${c.realm}", nonce="${c.nonce}", uri="${uri}", ` +
      `algorithm=${c.sha ? 'SHA-256' : 'MD5'}, qop=auth, nc=${nc}, cnonce="${cnonce}", response="${response}"`
    );
  }
}

/** The settings of the picture, the head and sound as they are now but for `others`, and a way back to
 * them. */
export async function keepSettings(base, admin, others = {}) {
  const cgi = '/axis-cgi/param.cgi';
  const list = async () => {
    const text = (await ask(base, `${cgi}?action=list&group=Image,ImageSource,PTZ,Audio,AudioSource`, admin)).body.toString();
    return new Map(text.split('\n').filter((l) => l.startsWith('root.')).map((l) => [l.slice(5, l.indexOf('=')), l.slice(l.indexOf('=') + 1)]));
  };
  const update = async (changed) => {
    const body = new URLSearchParams([['action', 'update'], ...changed]).toString();
    return (await ask(base, cgi, { ...admin, method: 'POST', body })).body.toString().startsWith('OK');
  };
  const kept = new Map([...(await list()), ...Object.entries(others)]);
  return {
    async restore() {
      const now = await list();
      const changed = [...kept].filter(([name, value]) => now.has(name) && now.get(name) !== value);
      if (!changed.length || (await update(changed))) return;
      for (const one of changed) check(await update([one]), `${one[0]} cannot be put back to "${one[1]}"`);
    },
  };
}

/** A TCP relay to a port; cut() ends what is open and refuses until mend(). */
export function wire(port) {
  const open = new Set();
  let cut = false;
  const server = net.createServer((a) => {
    if (cut) {
      a.destroy();
      return;
    }
    const b = net.connect(port, '127.0.0.1');
    const end = () => {
      a.destroy();
      b.destroy();
      open.delete(end);
    };
    open.add(end);
    for (const [x, y] of [
      [a, b],
      [b, a],
    ]) {
      x.setNoDelay(true);
      x.on('error', end);
      x.on('close', end);
      x.pipe(y);
    }
  });
  return new Promise((done) =>
    server.listen(0, '127.0.0.1', () =>
      done({
        port: server.address().port,
        cut() {
          cut = true;
          for (const end of [...open]) end();
        },
        mend() {
          cut = false;
        },
        close() {
          this.cut();
          server.close();
        },
      }),
    ),
  );
}

/** Pictures of a page's own, from another origin. */
export function serve(files) {
  const server = http.createServer((q, r) => {
    const f = files[new URL(q.url, 'http://x').pathname];
    if (!f) {
      r.writeHead(404).end();
      return;
    }
    r.writeHead(200, { 'Content-Type': f.type });
    r.end(f.body ?? readFileSync(f.path));
  });
  return new Promise((done) =>
    server.listen(0, '127.0.0.1', () => done({ url: `http://127.0.0.1:${server.address().port}/`, close: () => server.close() })),
  );
}
