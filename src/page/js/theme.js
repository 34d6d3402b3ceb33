// Theme: the system's, unless the visitor chose the other one. Set before the first paint.

const prefersDark = matchMedia('(prefers-color-scheme: dark)');
const systemTheme = () => (prefersDark.matches ? 'dark' : 'light');

function setTheme(theme) {
  if (theme) root.dataset.theme = theme;
  else delete root.dataset.theme;
}

function toggleTheme() {
  const theme = (root.dataset.theme || systemTheme()) === 'dark' ? 'light' : 'dark';
  const choice = theme === systemTheme() ? null : theme;
  writeStorage('localStorage', 'theme', choice);
  setTheme(choice);
}

setTheme(readStorage('localStorage', 'theme'));
