// Events: what visitors do, and the browser tells.

function listen() {
  listenToFilter();
  listenToButtons();
  listenToKeys();
  listenToWindow();
  document.addEventListener('animationend', event => event.target.classList.remove('changed'));
}

function listenToFilter() {
  byId('filter').addEventListener('input', () => filterChanged('replaceState'));
  byId('only').addEventListener('change', () => filterChanged('pushState'));
  byId('sort').addEventListener('change', () => filterChanged('pushState'));
  byId('tools').addEventListener('submit', event => event.preventDefault());
  byId('clear').addEventListener('click', () => {
    clearFilter();
    byId('filter').focus();
  });
}

function listenToButtons() {
  byId('refresh').addEventListener('click', refresh);
  byId('retry').addEventListener('click', refresh);
  byId('toggle-theme').addEventListener('click', toggleTheme);
  byId('to-help').addEventListener('click', () => { byId('help').open = true; });
  byId('copy').addEventListener('click', copyCommand);
  byId('forget').addEventListener('click', forgetToken);
  byId('token-form').addEventListener('submit', event => {
    event.preventDefault();
    submitToken();
  });
  document.addEventListener('click', event => {
    const button = event.target.closest('button');
    if (button?.word) toggleWord(button.word);
    else if (button?.className === 'more') unfoldChips(button.closest('.row'));
  });
}

async function copyCommand() {
  const copied = await navigator.clipboard?.writeText(byId('curl').textContent).then(() => true, () => false);
  setText(byId('curl-note'), copied ? 'Copied.' : 'The browser did not allow this page to copy.');
}

function listenToKeys() {
  document.addEventListener('keydown', event => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const typing = event.target.matches('input:not([type=checkbox]), select, textarea');
    if (event.key === '/' && !typing && !byId('report').hidden) {
      event.preventDefault();
      byId('filter').focus();
      byId('filter').select();
    } else if (event.key === 'Escape' && event.target !== byId('token')) {
      event.preventDefault();
      if (byId('filter').value || byId('only').checked) clearFilter();
      else event.target.blur();
    }
  });
}

function listenToWindow() {
  addEventListener('popstate', () => {
    viewFromAddress();
    draw();
    announceCount();
  });
  addEventListener('online', () => { if (!locked) refresh(); });
  // Browsers of phones change the height while they scroll; only another width changes the rows.
  let width = innerWidth;
  addEventListener('resize', () => {
    if (width !== innerWidth) windowResized();
    width = innerWidth;
  });
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden && nextRefresh && Date.now() >= nextRefresh) refresh();
    else scheduleRefresh();
    drawStatus();
  });
  setInterval(() => { if (!document.hidden) drawStatus(); }, 1000);
}
