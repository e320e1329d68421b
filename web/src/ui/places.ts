// The places of the page, in the order of the menu. A new place is a line here and a component.
// On a phone those of the bar stand at the bottom, the rest behind "More".
import AudioLines from '@lucide/svelte/icons/audio-lines';
import Clapperboard from '@lucide/svelte/icons/clapperboard';
import Crop from '@lucide/svelte/icons/crop';
import Ruler from '@lucide/svelte/icons/drafting-compass';
import EyeOff from '@lucide/svelte/icons/eye-off';
import Image from '@lucide/svelte/icons/image';
import Move from '@lucide/svelte/icons/move';
import Settings from '@lucide/svelte/icons/settings';
import Stream from '@lucide/svelte/icons/sliders-horizontal';
import Type from '@lucide/svelte/icons/type';
import Video from '@lucide/svelte/icons/video';
import type { Component } from 'svelte';
import { cam } from '../lib/camera.svelte';
import type { TextKey } from '../lib/i18n.svelte';
import { hasStage } from '../lib/stage.svelte';

export type Place = {
  id: string;
  icon: typeof Video;
  text: TextKey; // its word in the menu
  title?: TextKey; // of its panel; without one the picture fills the page
  load?: () => Promise<{ default: Component }>;
  there?: () => boolean; // has this camera any?
  bar?: true;
};

const all: Place[] = [
  { id: 'live', icon: Video, text: 'nav.live', bar: true },
  { id: 'image', icon: Image, text: 'nav.image', title: 'image.title', load: () => import('./ImagePage.svelte'), bar: true },
  { id: 'stream', icon: Stream, text: 'nav.stream', title: 'stream.title', load: () => import('./StreamPage.svelte') },
  { id: 'overlays', icon: Type, text: 'nav.overlays', title: 'overlays.title', load: () => import('./OverlaysPage.svelte') },
  { id: 'masks', icon: EyeOff, text: 'nav.masks', title: 'masks.title', load: () => import('./MasksPage.svelte') },
  { id: 'views', icon: Crop, text: 'nav.views', title: 'views.title', load: () => import('./ViewsPage.svelte') },
  { id: 'ptz', icon: Move, text: 'nav.ptz', title: 'ptz.title', load: () => import('./PtzPage.svelte'), there: () => !!cam.head || !cam.told, bar: true },
  { id: 'audio', icon: AudioLines, text: 'nav.audio', title: 'audio.title', load: () => import('./AudioPage.svelte') },
  { id: 'install', icon: Ruler, text: 'nav.install', title: 'install.title', load: () => import('./InstallPage.svelte') },
  { id: 'system', icon: Settings, text: 'nav.system', title: 'system.title', load: () => import('./System.svelte') },
  { id: 'stage', icon: Clapperboard, text: 'nav.stage', title: 'stage.title', load: () => import('./StagePage.svelte'), there: hasStage, bar: true },
];

export const places = (): Place[] => all.filter((p) => p.there?.() ?? true);
