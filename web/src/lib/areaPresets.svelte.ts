// Presets of a view area, by the camera's public calls.
import { call } from './api';

export interface AreaPreset {
  number: number;
  name: string;
}
export const areaPresets = $state({ channel: 0, list: [] as AreaPreset[] });

async function ask(cgi: 'ptz' | 'ptzconfig', channel: number, args: Record<string, string>): Promise<string> {
  const body = new URLSearchParams({ camera: String(channel), ...args });
  const text = await (await call(`/axis-cgi/com/${cgi}.cgi`, { method: 'POST', body })).text();
  if (text.startsWith('Error:')) throw new Error(text.slice(6).trim());
  return text;
}

export async function fetchAreaPresets(channel: number): Promise<void> {
  const text = await ask('ptz', channel, { query: 'presetposcam' });
  const list = [...text.matchAll(/^presetposno(\d+)=(.*?)\r?$/gm)].map((m) => ({ number: Number(m[1]), name: m[2] }));
  Object.assign(areaPresets, { channel, list });
}

const change = (channel: number, args: Record<string, string>) => ask('ptzconfig', channel, args).then(() => fetchAreaPresets(channel));

export const goAreaPreset = (channel: number, number: number) => ask('ptz', channel, { gotoserverpresetno: String(number) });
/** What is seen now, under the least number that is free. */
export function addAreaPreset(channel: number): Promise<void> {
  let free = 1;
  while (areaPresets.list.some((p) => p.number === free)) free++;
  return change(channel, { setserverpresetno: String(free) });
}
export const renameAreaPreset = (channel: number, number: number, newname: string) => change(channel, { renameserverpresetno: String(number), newname });
export const removeAreaPreset = (channel: number, number: number) => change(channel, { removeserverpresetno: String(number) });
