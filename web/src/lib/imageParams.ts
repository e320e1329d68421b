// The controls of Image and Installation, in order, section by section. What the camera does
// not have is left out; so is what means nothing with the other settings as they are.
import { exposureText, type EyeStatus } from './eye.svelte';
import type { TextKey } from './i18n.svelte';
import type { Shown } from './params';

export const ROOT = 'ImageSource.I0.';

export interface Section {
  id: string;
  title: TextKey;
  note?: TextKey;
  needs?: keyof EyeStatus['can'];
  items: Shown[];
}

const is =
  (name: string, ...values: string[]) =>
  (p: Record<string, string>) =>
    values.includes(p[ROOT + name]);
const not =
  (name: string, ...values: string[]) =>
  (p: Record<string, string>) =>
    !values.includes(p[ROOT + name]);

const slider = (name: string, label: TextKey, more: Partial<Shown> = {}): Shown => ({ name: ROOT + name, label, live: true, ...more });
const choice = (name: string, label: TextKey, more: Partial<Shown> = {}): Shown => ({ name: ROOT + name, label, ...more });

const TIMES_US = [15, 100, 200, 500, 1000, 2000, 4000, 5000, 8333, 10000, 16667, 20000, 33333, 40000, 66667, 125000, 166667, 333333, 500000, 1000000, 2000000];
const times = TIMES_US.map((us) => ({ value: String(us), text: exposureText(us / 1000) }));

const byCamera = not('Sensor.Exposure', 'manual', 'hold');

export const imageSections: Section[] = [
  {
    id: 'look',
    title: 'image.look',
    items: [
      choice('SceneProfile', 'image.profile', {
        hint: 'image.profile.hint',
        words: {
          forensic: 'image.profile.forensic',
          vivid: 'image.profile.vivid',
          traffic_overview: 'image.profile.traffic',
          indoor: 'image.profile.indoor',
          outdoor: 'image.profile.outdoor',
          license_plate: 'image.profile.plate',
        },
      }),
      slider('Sensor.ColorLevel', 'image.saturation', { ends: ['image.grey', 'image.strong'] }),
      slider('Sensor.Contrast', 'image.contrast'),
      slider('Sensor.Brightness', 'image.brightness', { hint: 'image.brightness.hint' }),
      slider('Sensor.Sharpness', 'image.sharpness', { ends: ['image.soft', 'image.crisp'] }),
      slider('Sensor.LocalContrast', 'image.local', { hint: 'image.local.hint' }),
    ],
  },
  {
    id: 'wdr',
    title: 'image.wdr',
    needs: 'range',
    items: [
      choice('Sensor.WDR', 'image.wdr.on', { hint: 'image.wdr.hint' }),
      choice('Sensor.WDRLevel', 'image.wdr.level', {
        few: true,
        steps: [
          { value: '33', key: 'image.low' },
          { value: '66', key: 'image.medium' },
          { value: '100', key: 'image.high' },
        ],
        when: is('Sensor.WDR', 'on'),
      }),
      slider('Sensor.ToneMapping', 'image.tone', { hint: 'image.tone.hint' }),
    ],
  },
  {
    id: 'white',
    title: 'image.white',
    needs: 'balance',
    items: [
      choice('Sensor.WhiteBalance', 'image.white.mode', {
        hint: 'image.white.hint',
        words: {
          auto: 'image.auto',
          auto_indoor: 'image.white.autoindoor',
          auto_outdoor: 'image.white.autooutdoor',
          hold: 'image.hold',
          manual: 'image.manual',
          fixed_outdoor1: 'image.white.outdoor1',
          fixed_outdoor2: 'image.white.outdoor2',
          fixed_indoor: 'image.white.indoor',
          fixed_fluor1: 'image.white.fluor1',
          fixed_fluor2: 'image.white.fluor2',
          street_mercury: 'image.white.mercury',
          street_sodium: 'image.white.sodium',
        },
      }),
      slider('Sensor.RedBalance', 'image.red', { when: is('Sensor.WhiteBalance', 'manual') }),
      slider('Sensor.BlueBalance', 'image.blue', { when: is('Sensor.WhiteBalance', 'manual') }),
    ],
  },
  {
    id: 'night',
    title: 'image.night',
    needs: 'filter',
    items: [
      choice('DayNight.IrCutFilter', 'image.filter', {
        few: true,
        hint: 'image.filter.hint',
        words: { auto: 'image.auto', yes: 'image.day', no: 'image.nighttime' },
      }),
      slider('DayNight.ShiftLevel', 'image.threshold', { ends: ['image.bright', 'image.dark'], when: is('DayNight.IrCutFilter', 'auto') }),
      slider('DayNight.DwellTime', 'image.dwell', { live: false, when: is('DayNight.IrCutFilter', 'auto') }),
      slider('DayNight.NightDayShiftLevel', 'image.daythreshold', {
        ends: ['image.dark', 'image.bright'],
        when: is('DayNight.IrCutFilter', 'auto'),
      }),
      slider('DayNight.NightDayDwellTime', 'image.daydwell', { live: false, when: is('DayNight.IrCutFilter', 'auto') }),
    ],
  },
  {
    id: 'lamp',
    title: 'image.lamp',
    needs: 'infrared',
    items: [
      choice('Infrared.Mode', 'image.lamp.mode', {
        few: true,
        hint: 'image.lamp.hint',
        words: { off: 'image.off', on: 'image.on', auto: 'image.lamp.sync' },
      }),
      choice('Infrared.IntensityMode', 'image.lamp.intensitymode', {
        few: true,
        words: { auto: 'image.auto', manual: 'image.manual' },
        when: not('Infrared.Mode', 'off'),
      }),
      slider('Infrared.Intensity', 'image.lamp.intensity', { hint: 'image.lamp.intensity.hint', when: not('Infrared.Mode', 'off') }),
      slider('Infrared.Angle', 'image.lamp.angle', { hint: 'image.lamp.angle.hint', when: not('Infrared.Mode', 'off') }),
    ],
  },
  {
    id: 'exposure',
    title: 'image.exposure',
    needs: 'exposure',
    items: [
      choice('Sensor.Exposure', 'image.exposure.mode', {
        hint: 'image.exposure.hint',
        words: {
          auto: 'image.auto',
          aperture: 'image.exposure.aperture',
          shutter: 'image.exposure.shutter',
          hold: 'image.hold',
          manual: 'image.manual',
          flickerfree50: 'image.exposure.free50',
          flickerfree60: 'image.exposure.free60',
          flickerreduced50: 'image.exposure.reduced50',
          flickerreduced60: 'image.exposure.reduced60',
        },
      }),
      slider('Sensor.ExposureValue', 'image.level', { ends: ['image.dark', 'image.bright'], when: byCamera }),
      slider('Sensor.ExposurePriority', 'image.priority', {
        ends: ['image.lownoise', 'image.lowblur'],
        hint: 'image.priority.hint',
        when: byCamera,
      }),
      choice('Sensor.MaxExposureTime', 'image.maxshutter', { steps: [{ value: '0', key: 'image.maxshutter.frame' as const }, ...times], hint: 'image.maxshutter.hint', when: not('Sensor.Exposure', 'manual', 'hold', 'shutter') }),
      choice('Sensor.MinExposureTime', 'image.minshutter', { steps: times, hint: 'image.minshutter.hint', when: not('Sensor.Exposure', 'manual', 'hold', 'shutter') }),
      slider('Sensor.MaxGain', 'image.maxgain', { hint: 'image.maxgain.hint', when: byCamera }),
      slider('Sensor.MinGain', 'image.mingain', { hint: 'image.mingain.hint', when: byCamera }),
      choice('Sensor.ManualShutter', 'image.shutter', { steps: times, when: is('Sensor.Exposure', 'manual', 'shutter') }),
      slider('Sensor.ManualGain', 'image.gain', { when: is('Sensor.Exposure', 'manual') }),
      choice('Sensor.ApertureLock', 'image.lock', { hint: 'image.lock.hint', when: not('Sensor.Exposure', 'manual', 'aperture') }),
      slider('Sensor.Aperture', 'image.aperture', {
        ends: ['image.closed', 'image.open'],
        hint: 'image.aperture.hint',
        when: (p) => is('Sensor.Exposure', 'manual', 'aperture')(p) || is('Sensor.ApertureLock', 'yes')(p),
      }),
    ],
  },
  {
    id: 'noise',
    title: 'image.noise',
    items: [
      choice('Sensor.NoiseReduction', 'image.noise.on', { hint: 'image.noise.hint' }),
      slider('Sensor.TNF', 'image.noise.temporal', { hint: 'image.noise.temporal.hint', when: is('Sensor.NoiseReduction', 'yes') }),
      slider('Sensor.SNF', 'image.noise.spatial', { hint: 'image.noise.spatial.hint', when: is('Sensor.NoiseReduction', 'yes') }),
      choice('Sensor.Defog', 'image.defog', {
        few: true,
        hint: 'image.defog.hint',
        words: { off: 'image.off', on: 'image.on', auto: 'image.auto' },
      }),
      slider('Sensor.DefogEffect', 'image.defog.effect', { when: not('Sensor.Defog', 'off') }),
    ],
  },
];

export const zoneChoice: Shown = choice('Sensor.ExposureWindow', 'image.zone', {
  hint: 'image.zone.hint',
  words: {
    auto: 'image.auto',
    center: 'image.zone.center',
    upper: 'image.zone.upper',
    lower: 'image.zone.lower',
    left: 'image.zone.left',
    right: 'image.zone.right',
    spot: 'image.zone.spot',
    full: 'image.zone.full',
    custom: 'image.zone.custom',
  },
});

export const mountSection: Section = {
  id: 'mount',
  title: 'install.mount',
  items: [
    choice('SourceRotation', 'install.rotation', {
      few: true,
      hint: 'install.rotation.hint',
      words: { '0': 'install.rotation.0', '180': 'install.rotation.180' },
    }),
  ],
};

export const steadySection: Section = {
  id: 'steady',
  title: 'install.steady',
  items: [
    choice('Sensor.Stabilizer', 'install.steady.mode', {
      few: true,
      hint: 'install.steady.hint',
      words: { off: 'image.off', on: 'image.on', low: 'image.low', high: 'image.high' },
    }),
    slider('Sensor.StabilizerMargin', 'install.steady.margin', { hint: 'install.steady.margin.hint', when: not('Sensor.Stabilizer', 'off') }),
  ],
};

export const nearSection: Section = {
  id: 'near',
  title: 'focus.limits',
  needs: 'focus',
  items: [slider('Focus.NearLimit', 'focus.near', { ends: ['focus.everything', 'focus.faronly'], hint: 'focus.near.hint' })],
};

export const previewSection: Section = {
  id: 'preview',
  title: 'install.preview',
  items: [choice('Preview.Time', 'install.preview.time', { hint: 'install.preview.hint' })],
};
