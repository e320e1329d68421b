// Small things about H.264 that the player needs (ITU-T H.264 7.3, Annex D).

export const NAL_IDR = 5;
export const NAL_SEI = 6;
export const NAL_SPS = 7;
export const NAL_PPS = 8;
export const NAL_AUD = 9;
export const nalType = (nal: Uint8Array) => nal[0] & 31;

/** What the camera writes into each picture. */
export interface Stamp {
  serial: number;
  utcMs: number;
  pose?: { pan: number; tilt: number; zoom: number };
}

/** One coded picture. */
export interface Picture {
  nals: Uint8Array[];
  key: boolean;
  rtpTime: number;
  stamp: Stamp | null;
  bytes: number;
}

function unescapeRbsp(nal: Uint8Array): Uint8Array {
  const out = new Uint8Array(nal.length);
  let n = 0;
  for (let i = 1; i < nal.length; i++) {
    if (i + 2 < nal.length && !nal[i] && !nal[i + 1] && nal[i + 2] === 3) {
      n += 2;
      i += 2;
      continue;
    }
    out[n++] = nal[i];
  }
  return out.subarray(0, n);
}

export function parseStamp(text: string): Stamp | null {
  try {
    const o = JSON.parse(text);
    const utcMs = Date.parse(o.utc);
    return Number.isFinite(utcMs) ? { serial: o.serial, utcMs, pose: o.pose } : null;
  } catch {
    return null;
  }
}

const ascii = new TextDecoder('latin1');

/** The camera's stamp in a SEI NAL: user data whose text is a JSON object. */
export function stampOfSei(nal: Uint8Array): Stamp | null {
  const b = unescapeRbsp(nal);
  for (let at = 0; at + 2 < b.length; ) {
    let type = 0;
    let size = 0;
    while (b[at] === 255) {
      type += 255;
      at++;
    }
    type += b[at++];
    while (b[at] === 255) {
      size += 255;
      at++;
    }
    size += b[at++];
    if (type === 5 && size > 18 && b[at + 16] === 0x7b /* { */) {
      const stamp = parseStamp(ascii.decode(b.subarray(at + 16, at + size)).replace(/\0+$/, ''));
      if (stamp) return stamp;
    }
    at += size;
  }
  return null;
}

export const codecString = (sps: Uint8Array) =>
  'avc1.' + Array.from(sps.subarray(1, 4), (b) => b.toString(16).padStart(2, '0')).join('');

export function spsSize(sps: Uint8Array): { width: number; height: number } {
  const b = unescapeRbsp(sps);
  let bit = 24; // profile, constraints, level
  const u = (n: number) => {
    let v = 0;
    for (; n > 0; n--, bit++) v = v * 2 + ((b[bit >> 3] >> (7 - (bit & 7))) & 1);
    return v;
  };
  const ue = () => {
    let zeros = 0;
    while (!u(1) && zeros < 32) zeros++;
    return 2 ** zeros - 1 + u(zeros);
  };
  const se = () => {
    const v = ue();
    return v & 1 ? (v + 1) / 2 : -v / 2;
  };
  const profile = b[0];
  let chroma = 1;
  ue();
  if ([100, 110, 122, 244, 44, 83, 86, 118, 128].includes(profile)) {
    chroma = ue();
    if (chroma === 3) u(1);
    ue();
    ue();
    u(1);
    if (u(1)) {
      for (let i = 0; i < (chroma === 3 ? 12 : 8); i++) {
        if (!u(1)) continue;
        let last = 8;
        let next = 8;
        for (let j = 0; j < (i < 6 ? 16 : 64); j++) {
          if (next) next = (last + se() + 256) % 256;
          last = next || last;
        }
      }
    }
  }
  ue();
  const order = ue();
  if (order === 0) ue();
  else if (order === 1) {
    u(1);
    se();
    se();
    for (let n = ue(); n > 0; n--) se();
  }
  ue();
  u(1);
  const mbs = ue() + 1;
  const maps = ue() + 1;
  const frameOnly = u(1);
  if (!frameOnly) u(1);
  u(1);
  let [left, right, top, bottom] = [0, 0, 0, 0];
  if (u(1)) [left, right, top, bottom] = [ue(), ue(), ue(), ue()];
  const unitX = chroma === 1 || chroma === 2 ? 2 : 1;
  const unitY = (chroma === 1 ? 2 : 1) * (2 - frameOnly);
  return {
    width: mbs * 16 - (left + right) * unitX,
    height: (2 - frameOnly) * maps * 16 - (top + bottom) * unitY,
  };
}
