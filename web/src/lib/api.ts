// HTTP calls. Over TLS a session cookie says who we are. On plain HTTP there is no
// cookie and the browser's own password dialogue must not appear: we compute Digest
// ourselves and keep only HA1, which is of use for this camera alone.
import { md5, sha256 } from './hash';

export interface Session {
  user: string;
  groups: string[];
  needsetup: boolean;
  previewS?: number; // preview mode lasts for so long
  secure: boolean;
  utc: string;
  httpsPort: number;
  name?: string;
  version?: string;
  serial?: string;
  ports?: { http: number; https: number; rtsp: number; rtsps: number };
}

export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly kind: string,
    text: string,
    readonly retryAfter = 0,
  ) {
    super(text);
  }
}

const secure = location.protocol === 'https:';
const STORE = 'vedette.digest';

interface Keyed {
  user: string;
  realm: string;
  algorithm: string;
  ha1: string;
}
interface Challenge {
  realm: string;
  nonce: string;
  algorithm: string;
}

let keyed: Keyed | null = secure ? null : JSON.parse(sessionStorage.getItem(STORE) || 'null');
let challenge: Challenge | null = null;
let counter = 0;

const hashes: Record<string, (text: string) => string> = { MD5: md5, 'SHA-256': sha256 };

function parseChallenge(line: string): Challenge | null {
  if (!/^Digest /i.test(line)) return null;
  const fields: Record<string, string> = {};
  for (const m of line.slice(7).matchAll(/(\w+)=(?:"([^"]*)"|([^\s,]+))/g)) fields[m[1].toLowerCase()] = m[2] ?? m[3];
  const algorithm = (fields.algorithm || 'MD5').toUpperCase();
  return hashes[algorithm] && fields.nonce ? { realm: fields.realm, nonce: fields.nonce, algorithm } : null;
}

async function newChallenge(algorithm?: string): Promise<Challenge> {
  const reply = await fetch('/vedette/challenge', { credentials: 'omit', cache: 'no-store' });
  if (!reply.ok) throw new ApiError(reply.status, 'http', reply.statusText);
  const all: Challenge[] = (await reply.json()).challenges.map(parseChallenge).filter(Boolean);
  const found = (algorithm && all.find((c) => c.algorithm === algorithm)) || all[0];
  if (!found) throw new ApiError(0, 'unsupported', 'The camera offers no login that this page knows.');
  counter = 0;
  return (challenge = found);
}

function authorization(k: Keyed, c: Challenge, method: string, uri: string): string {
  const h = hashes[c.algorithm];
  const nc = (++counter).toString(16).padStart(8, '0');
  const cnonce = Array.from(crypto.getRandomValues(new Uint8Array(12)), (b) => b.toString(16).padStart(2, '0')).join('');
  const response = h(`${k.ha1}:${c.nonce}:${nc}:${cnonce}:auth:${h(`${method}:${uri}`)}`);
  return (
    `Digest username="${k.user}", realm="${c.realm}", nonce="${c.nonce}", uri="${uri}", ` +
    `algorithm=${c.algorithm}, qop=auth, nc=${nc}, cnonce="${cnonce}", response="${response}"`
  );
}

/** fetch() with whatever says who we are. Replies 401 only when that is not believed. */
export async function call(path: string, init: RequestInit = {}): Promise<Response> {
  if (secure) return fetch(path, { cache: 'no-store', ...init, credentials: 'same-origin' });
  const method = init.method || 'GET';
  for (let tries = 0; ; tries++) {
    const headers = new Headers(init.headers);
    if (keyed) {
      const c = challenge ?? (await newChallenge(keyed.algorithm));
      headers.set('Authorization', authorization(keyed, c, method, path));
    }
    const reply = await fetch(path, { cache: 'no-store', ...init, headers, credentials: 'omit' });
    const stale = /stale="?true/i.test(reply.headers.get('WWW-Authenticate') || '');
    if (reply.status !== 401 || !keyed || !stale || tries > 1) return reply;
    challenge = null; // the nonce grew old: take a new one and say it again
  }
}

async function explain(reply: Response): Promise<ApiError> {
  const retry = Number(reply.headers.get('Retry-After') || 0);
  const text = await reply.text();
  try {
    const error = JSON.parse(text).error;
    return new ApiError(reply.status, error.kind, error.text, retry);
  } catch {
    return new ApiError(reply.status, 'http', reply.statusText || `HTTP ${reply.status}`, retry);
  }
}

export async function session(): Promise<Session> {
  const reply = await call('/vedette/session');
  if (reply.status === 401) {
    forget();
    return session();
  }
  if (!reply.ok) throw await explain(reply);
  return reply.json();
}

function forget() {
  keyed = null;
  if (!secure) sessionStorage.removeItem(STORE);
}

export async function login(user: string, password: string): Promise<void> {
  if (secure) {
    const reply = await fetch('/vedette/login', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ user, password }),
    });
    if (!reply.ok) throw await explain(reply);
    return;
  }
  const c = await newChallenge();
  keyed = { user, realm: c.realm, algorithm: c.algorithm, ha1: hashes[c.algorithm](`${user}:${c.realm}:${password}`) };
  const reply = await call('/vedette/session');
  if (!reply.ok) {
    forget();
    throw await explain(reply);
  }
  sessionStorage.setItem(STORE, JSON.stringify(keyed));
}

export async function logout(): Promise<void> {
  if (secure) await fetch('/vedette/logout', { method: 'POST' });
  forget();
}

/** Makes the first administrator. */
export async function createAdministrator(user: string, password: string): Promise<void> {
  const body = new URLSearchParams({ action: 'add', user, pwd: password, grp: 'root', sgrp: 'admin:operator:viewer:ptz' });
  const reply = await fetch('/axis-cgi/pwdgrp.cgi', {
    method: 'POST',
    headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    credentials: secure ? 'same-origin' : 'omit',
    body: body.toString(),
  });
  const text = (await reply.text()).replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ').trim();
  if (!reply.ok || /^error/i.test(text)) throw new ApiError(reply.status, 'setup', text.replace(/^error:?\s*/i, '') || reply.statusText);
}

/** Address of a WebSocket, with a one-time token where no cookie travels. */
export async function socketUrl(path: string, tokenCall: string, tokenArg: string): Promise<string> {
  const base = `${secure ? 'wss' : 'ws'}://${location.host}${path}`;
  if (secure) return base;
  const reply = await call(tokenCall);
  if (!reply.ok) throw await explain(reply);
  return `${base}?${tokenArg}=${encodeURIComponent((await reply.text()).trim())}`;
}
