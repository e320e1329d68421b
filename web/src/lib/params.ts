// Which parameters the System place offers, in order. What the camera does not have
// is not shown; type, limits, choices and rights come from the camera itself.
import type { TextKey } from './i18n.svelte';

export interface Shown {
  name: string;
  label: TextKey;
  hint?: TextKey;
  words?: Record<string, TextKey>; // what choices are called
  few?: boolean; // choices side by side
  choices?: () => string[]; // where the parameter itself does not list them
  /** A number that is chosen from these; each stands for all up to it. */
  steps?: { value: string; key?: TextKey; text?: string }[];
  live?: boolean; // acts while it is dragged
  ends?: [TextKey, TextKey]; // what the slider's ends mean
  when?: (params: Record<string, string>) => boolean; // else it means nothing now
}

export const ZONE_PARAM = 'Time.TimeZone';
/** Language of what the camera itself writes upon pictures. */
export const SPEECH_PARAM = 'System.Language';

export const overlayParams: Shown[] = [
  { name: 'Image.I0.Text.TextEnabled', label: 'param.text.enabled' },
  { name: 'Image.I0.Text.String', label: 'param.text.string' },
  { name: 'Image.I0.Text.DateEnabled', label: 'param.text.date' },
  { name: 'Image.I0.Text.ClockEnabled', label: 'param.text.clock' },
  { name: 'Image.I0.Text.Position', label: 'param.text.position' },
  { name: 'Image.I0.Text.TextSize', label: 'param.text.size' },
  { name: 'Image.I0.Text.Color', label: 'param.text.color' },
  { name: 'Image.I0.Text.BGColor', label: 'param.text.background' },
];
