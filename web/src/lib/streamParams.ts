// The controls of Stream, section by section: what streams are like that ask for nothing else.
// What the camera does not have is left out; so is what means nothing with the other settings.
import { cam } from './camera.svelte';
import type { Section } from './imageParams';
import type { TextKey } from './i18n.svelte';
import type { Shown } from './params';

/** Branch of the whole picture's settings. */
export const VIEW = 'Image.I0.';

export const SHARED_CACHE = 'Network.HLS.SharedCache';
export const H265_EFFORT = 'Image.H265.Effort';

export const STRENGTHS: Record<string, TextKey> = {
  off: 'image.off',
  '10': 'image.low',
  '20': 'image.medium',
  '30': 'image.high',
  '40': 'stream.higher',
  '50': 'stream.extreme',
};
export const RATE_MODES: Record<string, TextKey> = { vbr: 'rate.vbr', mbr: 'rate.mbr', abr: 'rate.abr', cbr: 'rate.cbr' };
const FIXED: Record<string, TextKey> = { fixed: 'stream.fixed', dynamic: 'stream.dynamic' };

/** Of a channel: view is its branch, as VIEW. */
export function streamSections(view: string): Section[] {
  const is =
    (name: string, ...values: string[]) =>
    (p: Record<string, string>) =>
      values.includes(p[view + name]);
  const item = (name: string, label: TextKey, more: Partial<Shown> = {}): Shown => ({ name: view + name, label, ...more });
  return [
    {
      id: 'picture',
      title: 'stream.picture',
      items: [
        item('Appearance.Resolution', 'param.resolution', { choices: () => cam.resolutions }),
        item('Stream.FPS', 'param.fps', { hint: 'param.fps.hint' }),
        item('Appearance.Compression', 'param.compression', { hint: 'param.compression.hint' }),
        item('Appearance.Rotation', 'stream.rotation', { few: true, hint: 'stream.rotation.hint' }),
        item('Appearance.MirrorEnabled', 'stream.mirror'),
      ],
    },
    {
      id: 'coding',
      title: 'stream.coding',
      items: [
        item('MPEG.PCount', 'param.gop', { hint: 'param.gop.hint' }),
        item('MPEG.H264.Profile', 'param.profile', {
          few: true,
          words: { baseline: 'stream.baseline', main: 'stream.main', high: 'stream.highprofile' },
        }),
        {
          name: H265_EFFORT,
          label: 'stream.effort',
          few: true,
          words: { auto: 'info.auto', low: 'image.low', high: 'image.high' },
          hint: 'stream.effort.hint',
        },
      ],
    },
    {
      id: 'smart',
      title: 'stream.smart',
      note: 'stream.smart.note',
      items: [
        item('MPEG.ZStrength', 'stream.strength', { words: STRENGTHS, hint: 'stream.strength.hint' }),
        item('MPEG.ZGopMode', 'stream.gopmode', { few: true, words: FIXED, hint: 'stream.gopmode.hint' }),
        item('MPEG.ZMaxGopLength', 'stream.maxgop', { when: is('MPEG.ZGopMode', 'dynamic') }),
        item('MPEG.ZFpsMode', 'stream.fpsmode', { few: true, words: FIXED, hint: 'stream.fpsmode.hint' }),
        item('MPEG.ZMinFps', 'stream.minfps', { when: is('MPEG.ZFpsMode', 'dynamic') }),
        item('MPEG.ZProfile', 'stream.zprofile', {
          few: true,
          words: { classic: 'stream.live', storage: 'stream.storage' },
          hint: 'stream.zprofile.hint',
        }),
      ],
    },
    {
      id: 'rate',
      title: 'param.ratemode',
      items: [
        item('RateControl.Mode', 'stream.rate', { words: RATE_MODES, hint: 'stream.rate.hint' }),
        item('RateControl.MaxBitrate', 'param.maxbitrate', { when: is('RateControl.Mode', 'mbr', 'cbr') }),
        item('RateControl.Priority', 'stream.priority', {
          few: true,
          words: { none: 'stream.priority.none', framerate: 'param.fps', quality: 'stream.quality' },
          hint: 'stream.priority.hint',
          when: is('RateControl.Mode', 'mbr'),
        }),
        item('RateControl.ABR.TargetBitrate', 'stream.target', { when: is('RateControl.Mode', 'abr') }),
        item('RateControl.ABR.RetentionTime', 'stream.retention', { when: is('RateControl.Mode', 'abr') }),
        item('RateControl.ABR.MaxBitrate', 'param.maxbitrate', { hint: 'stream.none', when: is('RateControl.Mode', 'abr') }),
      ],
    },
    {
      id: 'hls',
      title: 'stream.hls',
      items: [{ name: SHARED_CACHE, label: 'stream.hls.shared', hint: 'stream.hls.shared.hint' }],
    },
  ];
}

/** Gigabytes that a stream of so many kbit/s fills in so many days, and the reverse. */
export const gigabytes = (kbps: number, days: number) => (kbps * 1000 * 86400 * days) / 8 / 1e9;
export const kbpsOf = (gb: number, days: number) => Math.floor((gb * 1e9 * 8) / (days * 86400) / 1000);
