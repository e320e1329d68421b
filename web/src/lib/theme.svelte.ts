export type Theme = 'auto' | 'dark' | 'light';
const STORE = 'vedette.theme';

export const theme = $state({ now: (localStorage.getItem(STORE) || 'auto') as Theme });

function apply(): void {
  const root = document.documentElement;
  if (theme.now === 'auto') delete root.dataset.theme;
  else root.dataset.theme = theme.now;
}

export function setTheme(x: Theme): void {
  theme.now = x;
  localStorage.setItem(STORE, x);
  apply();
}
apply();
