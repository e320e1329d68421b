// What hands do: pointer, wheel, touch and keys, turned into calls of steer.
import { areaZoom, centre, dragGrip, grip, hold, release, setMode, shownPose, steer, zoomAbout, type Grip } from './steer.svelte';
import { hold as holdBefore } from './before.svelte';
import { mayMove } from './camera.svelte';

const HOLD_MS = 300;
const SLOP = 6; // pixels that still count as standing still
const SMALL_BOX = 0.02; // of the width: a click
const MAX_STEPS = 8; // of a wheel at once; a busy browser joins some to one
const MARGIN = 0.03; // pointer this far outside of the picture lets go

/* ---- pointer ---- */

export function pointer(el: HTMLElement): () => void {
  const touches = new Map<number, { x: number; y: number }>();
  let doing: 'none' | 'pressed' | 'stick' | 'box' | 'grip' | 'pinch' | 'over' = 'none';
  let start = { x: 0, y: 0, px: 0, py: 0, at: 0 };
  let last = { x: 0, y: 0 };
  let timer = 0;
  let held: Grip | null = null;
  let span = 1;

  const place = (e: PointerEvent | WheelEvent) => {
    const r = el.getBoundingClientRect();
    return { x: (e.clientX - r.left) / r.width, y: (e.clientY - r.top) / r.height };
  };
  const inside = (p: { x: number; y: number }) => p.x > -MARGIN && p.x < 1 + MARGIN && p.y > -MARGIN && p.y < 1 + MARGIN;

  function stickTo(p: { x: number; y: number }) {
    doing = 'stick';
    const r = el.getBoundingClientRect();
    const short = Math.min(r.width, r.height) / 2;
    let dx = ((p.x - 0.5) * r.width) / short;
    let dy = ((0.5 - p.y) * r.height) / short;
    const length = Math.hypot(dx, dy);
    const dead = 0.08;
    const deflection = length < dead ? 0 : Math.min(1, (length - dead) / (1 - dead));
    dx = length ? (dx / length) * deflection : 0;
    dy = length ? (dy / length) * deflection : 0;
    hold(dx, dy, 0);
    steer.arrow = { x0: 0.5, y0: 0.5, x: p.x, y: p.y };
  }

  function boxTo(p: { x: number; y: number }) {
    doing = 'box';
    const c = (v: number) => Math.min(1, Math.max(0, v));
    const [x, y] = [c(p.x), c(p.y)];
    steer.box = { x: Math.min(x, start.x), y: Math.min(y, start.y), w: Math.abs(x - start.x), h: Math.abs(y - start.y) };
  }

  function letGo() {
    clearTimeout(timer);
    release();
    steer.box = null;
    held = null;
    doing = touches.size ? 'over' : 'none';
  }

  function pinchStart() {
    const [a, b] = [...touches.values()];
    held = grip((a.x + b.x) / 2, (a.y + b.y) / 2);
    span = Math.max(0.02, Math.hypot(a.x - b.x, (a.y - b.y) * (el.clientHeight / el.clientWidth)));
    doing = held ? 'pinch' : 'over';
  }

  function down(e: PointerEvent) {
    if (!mayMove() || !shownPose() || (e.pointerType === 'mouse' && e.button !== 0)) return;
    el.focus({ preventScroll: true });
    const p = place(e);
    el.setPointerCapture(e.pointerId);
    if (e.pointerType === 'touch') {
      touches.set(e.pointerId, p);
      if (touches.size === 2) {
        letGo();
        pinchStart();
        return;
      }
      if (touches.size > 2) {
        letGo();
        return;
      }
    }
    start = { ...p, px: e.clientX, py: e.clientY, at: e.timeStamp };
    last = p;
    doing = 'pressed';
    if (e.pointerType === 'touch') return;
    if (steer.mode === 'stick') stickTo(p);
    else timer = window.setTimeout(() => doing === 'pressed' && stickTo(last), HOLD_MS);
  }

  function move(e: PointerEvent) {
    if (doing === 'none') return;
    const p = place(e);
    last = p;
    if (touches.has(e.pointerId)) touches.set(e.pointerId, p);
    const still = Math.hypot(e.clientX - start.px, e.clientY - start.py) < SLOP;
    if (doing === 'pressed' && !still) {
      clearTimeout(timer);
      if (e.pointerType === 'touch') {
        held = grip(start.x, start.y);
        doing = held ? 'grip' : 'over';
      } else {
        doing = 'box';
      }
    }
    if (doing === 'stick') {
      if (inside(p)) stickTo(p);
      else letGo();
    } else if (doing === 'box') {
      boxTo(p);
    } else if (doing === 'grip' && held) {
      dragGrip(held, p.x, p.y);
    } else if (doing === 'pinch' && held && touches.size === 2) {
      const [a, b] = [...touches.values()];
      const now = Math.hypot(a.x - b.x, (a.y - b.y) * (el.clientHeight / el.clientWidth));
      dragGrip(held, (a.x + b.x) / 2, (a.y + b.y) / 2, now / span);
    }
  }

  function up(e: PointerEvent) {
    touches.delete(e.pointerId);
    const was = doing;
    const box = steer.box;
    // A machine that is late hears of a click's end after the time of a hold: the clock of the
    // events tells which of them it was.
    const late = was === 'stick' && steer.mode !== 'stick' && e.timeStamp - start.at < HOLD_MS;
    letGo();
    if (was === 'pressed' || late) centre(start.x, start.y);
    else if (was === 'box' && box) {
      if (Math.max(box.w, box.h) < SMALL_BOX) centre(start.x, start.y);
      else areaZoom(box, e.shiftKey);
    }
  }

  function cancel(e: PointerEvent) {
    touches.delete(e.pointerId);
    letGo();
  }

  function lost(e: PointerEvent) {
    // Comes after every up as well; then there is nothing left to let go of.
    touches.delete(e.pointerId);
    if (doing !== 'none' && !touches.size) letGo();
  }

  function wheel(e: WheelEvent) {
    if (!mayMove()) return;
    e.preventDefault();
    const p = place(e);
    const pixels = e.deltaY * (e.deltaMode === 1 ? 33 : e.deltaMode === 2 ? 400 : 1);
    const steps = Math.max(-MAX_STEPS, Math.min(MAX_STEPS, pixels / 100));
    zoomAbout(p.x, p.y, 1.25 ** -steps, e.timeStamp);
  }

  const menu = (e: Event) => doing !== 'none' && e.preventDefault();
  const blur = () => letGo();
  el.addEventListener('pointerdown', down);
  el.addEventListener('pointermove', move);
  el.addEventListener('pointerup', up);
  el.addEventListener('pointercancel', cancel);
  el.addEventListener('lostpointercapture', lost);
  el.addEventListener('wheel', wheel, { passive: false });
  el.addEventListener('contextmenu', menu);
  window.addEventListener('blur', blur);
  document.addEventListener('visibilitychange', blur);
  return () => {
    letGo();
    el.removeEventListener('pointerdown', down);
    el.removeEventListener('pointermove', move);
    el.removeEventListener('pointerup', up);
    el.removeEventListener('pointercancel', cancel);
    el.removeEventListener('lostpointercapture', lost);
    el.removeEventListener('wheel', wheel);
    el.removeEventListener('contextmenu', menu);
    window.removeEventListener('blur', blur);
    document.removeEventListener('visibilitychange', blur);
  };
}

/* ---- keys ---- */

export interface Actions {
  home(): void;
  preset(number: number): void;
  snapshot(): void;
  fullScreen(): void;
  freeze(): void;
  info(): void;
  focus(): void;
  keys(): void;
  escape(): void;
}

const AXES: Record<string, [number, number, number]> = {
  ArrowLeft: [-1, 0, 0],
  ArrowRight: [1, 0, 0],
  ArrowUp: [0, 1, 0],
  ArrowDown: [0, -1, 0],
  Equal: [0, 0, 1],
  Minus: [0, 0, -1],
};

/** By what is printed on the key, wherever a keyboard has it. */
function axesOf(e: KeyboardEvent): string | null {
  if (e.key === '+' || e.key === '=') return 'Equal';
  if (e.key === '-' || e.key === '_') return 'Minus';
  return e.key.startsWith('Arrow') ? e.key : null;
}

export function keyboard(actions: Actions): () => void {
  const down = new Map<string, string>(); // physical key → axis
  let fine = false;

  function apply() {
    let [pan, tilt, zoom] = [0, 0, 0];
    for (const axis of down.values()) {
      pan += AXES[axis][0];
      tilt += AXES[axis][1];
      zoom += AXES[axis][2];
    }
    if (!pan && !tilt && !zoom) release();
    else hold(pan * (fine ? 0.22 : 0.7), tilt * (fine ? 0.22 : 0.7), zoom * (fine ? 0.12 : 0.5));
  }

  function pressed(e: KeyboardEvent) {
    const at = e.target as HTMLElement;
    if (e.ctrlKey || e.altKey || e.metaKey || document.querySelector('dialog[open]')) return;
    if (at.matches('input, select, textarea, [data-own-keys]')) return;
    if (e.key === 'Shift') {
      fine = true;
      if (down.size) apply();
      return;
    }
    const axis = axesOf(e);
    if (axis) {
      e.preventDefault();
      if (e.repeat || !mayMove()) return;
      fine = e.shiftKey && axis !== 'Equal' && axis !== 'Minus';
      down.set(e.code, axis);
      apply();
      return;
    }
    if (e.repeat) return;
    const act: Record<string, () => void> = {
      home: actions.home,
      '0': actions.home,
      s: actions.snapshot,
      f: actions.fullScreen,
      i: actions.info,
      o: actions.focus,
      '?': actions.keys,
      escape: actions.escape,
      b: () => holdBefore(true),
      c: () => setMode('centre'),
      j: () => setMode('stick'),
    };
    if (e.key === ' ') {
      if (at.matches('button, a, summary')) return;
      e.preventDefault();
      actions.freeze();
      return;
    }
    if (/^[1-9]$/.test(e.key)) {
      e.preventDefault();
      actions.preset(Number(e.key));
      return;
    }
    const f = act[e.key.toLowerCase()];
    if (f) {
      e.preventDefault();
      f();
    }
  }

  function released(e: KeyboardEvent) {
    if (e.key === 'Shift') fine = false;
    if (e.key.toLowerCase() === 'b') holdBefore(false);
    if (down.delete(e.code) || (e.key === 'Shift' && down.size)) apply();
  }

  function clear() {
    holdBefore(false);
    if (!down.size) return;
    down.clear();
    release();
  }

  window.addEventListener('keydown', pressed);
  window.addEventListener('keyup', released);
  window.addEventListener('blur', clear);
  document.addEventListener('visibilitychange', clear);
  return () => {
    clear();
    window.removeEventListener('keydown', pressed);
    window.removeEventListener('keyup', released);
    window.removeEventListener('blur', clear);
    document.removeEventListener('visibilitychange', clear);
  };
}
