// The controls of Audio, in order, section by section.
import type { Section } from './imageParams';
import type { Shown } from './params';

const on = (p: Record<string, string>) => p['AudioSource.A0.AudioSupport'] !== 'no';
const coded = (...codecs: string[]) => (p: Record<string, string>) => on(p) && codecs.includes(p['AudioSource.A0.AudioEncoding']);
const source = (name: string, label: Shown['label'], more: Partial<Shown> = {}): Shown => ({
  name: `AudioSource.A0.${name}`,
  label,
  when: on,
  ...more,
});
const khz = [8000, 16000, 24000, 32000, 44100, 48000].map((hz) => ({ value: String(hz), text: `${hz / 1000} kHz` }));
const kbits = [8, 16, 24, 32, 40, 64, 96, 128].map((k) => ({ value: String(k * 1000), text: `${k} kbit/s` }));

export const audioSections: Section[] = [
  {
    id: 'audio',
    title: 'audio.general',
    items: [
      { name: 'AudioSource.A0.AudioSupport', label: 'audio.allow', hint: 'audio.allow.hint' },
      { name: 'Audio.A0.Enabled', label: 'audio.streams', hint: 'audio.streams.hint', when: on },
      {
        name: 'Audio.DuplexMode',
        label: 'audio.duplex',
        when: on,
        words: { full: 'audio.full', half: 'audio.half', post: 'audio.post', get: 'audio.get' },
      },
    ],
  },
  {
    id: 'audio-input',
    title: 'audio.input',
    items: [
      source('InputType', 'audio.type', {
        few: true,
        words: { internal: 'audio.internal', mic: 'audio.mic', line: 'audio.line' },
      }),
      source('InputGain', 'audio.gain', { live: true }),
      source('InputMute', 'audio.mute'),
      source('MicrophonePower', 'audio.power', { when: (p) => on(p) && p['AudioSource.A0.InputType'] === 'mic' }),
    ],
  },
  {
    id: 'audio-output',
    title: 'audio.output',
    items: [source('OutputGain', 'audio.gain', { live: true }), source('OutputMute', 'audio.mute')],
  },
  {
    id: 'audio-coding',
    title: 'audio.coding',
    note: 'audio.coding.note',
    items: [
      source('AudioEncoding', 'audio.codec', {
        words: { aac: 'audio.aac', opus: 'audio.opus', g711: 'audio.g711', g726: 'audio.g726', lpcm: 'audio.lpcm' },
      }),
      source('SampleRate', 'audio.rate', { steps: khz, when: coded('aac', 'opus', 'lpcm') }),
      source('BitRate', 'audio.bitrate', { steps: kbits, when: coded('aac', 'opus', 'g726') }),
    ],
  },
];
