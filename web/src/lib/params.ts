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

/** The line of date, time and text of a channel: view is its branch, as 'Image.I0.'. */
export const overlayParams = (view: string): Shown[] => [
  { name: `${view}Text.TextEnabled`, label: 'param.text.enabled' },
  { name: `${view}Text.String`, label: 'param.text.string' },
  { name: `${view}Text.DateEnabled`, label: 'param.text.date' },
  { name: `${view}Text.ClockEnabled`, label: 'param.text.clock' },
  { name: `${view}Text.Position`, label: 'param.text.position' },
  { name: `${view}Text.TextSize`, label: 'param.text.size' },
  { name: `${view}Text.Color`, label: 'param.text.color' },
  { name: `${view}Text.BGColor`, label: 'param.text.background' },
];
