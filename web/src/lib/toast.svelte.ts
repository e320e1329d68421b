// Short notes at the bottom of the page: what happened, and how to undo it.
export interface Toast {
  id: number;
  text: string;
  kind: 'good' | 'bad';
  undo?: () => void;
}

export const toasts = $state({ list: [] as Toast[] });
let next = 1;

export function dismiss(id: number): void {
  toasts.list = toasts.list.filter((x) => x.id !== id);
}

export function toast(text: string, kind: 'good' | 'bad' = 'good', undo?: () => void): void {
  if (toasts.list.some((x) => x.text === text && !undo)) return;
  const id = next++;
  toasts.list = [...toasts.list.slice(-2), { id, text, kind, undo }];
  setTimeout(() => dismiss(id), undo ? 10000 : kind === 'bad' ? 6000 : 3000);
}
