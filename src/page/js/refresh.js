// Refresh: requests the report again and again while the page is visible. All waits are in seconds.

// Between two reports, if Cache-Control does not say.
const DEFAULT_PERIOD = 15;
const SHORTEST_PERIOD = 5;
const LONGEST_BACKOFF = 60;
// While the first sweep is running.
const LONGEST_SWEEP_BACKOFF = 5;
const LONGEST_RETRY_AFTER = 600;
// A report that is older by so much than it should be is shown as old.
const GRACE = 60;
// A first sweep that is done within this time is not reported as running.
const UNNOTICED = 0.5;

let refreshing = false;
let refreshTimer = 0;
// When to refresh; 0: not without the visitor.
let nextRefresh = 0;
// Problems in a row.
let errors = 0;
// Whether the report is what there was at once, and a newer one is awaited.
let provisional = false;
// Until when the report counts as fresh, by this machine's clock.
let freshUntil = 0;
// { title, detail, calm } of the last response that was not a report.
let trouble = null;

async function refresh() {
  if (refreshing || !byId('main')) return;
  refreshing = true;
  clearTimeout(refreshTimer);
  drawStatus();
  let wait;
  try {
    wait = asOf || trouble ? showReport(await fetchReport()) : await showAtOnce();
  } catch (error) {
    wait = showProblem(error instanceof Problem ? error : new Problem('The response of the server is not a report.'));
  }
  firstFetch = null;
  refreshing = false;
  settle();
  nextRefresh = wait && Date.now() + wait * 1000;
  scheduleRefresh();
  drawStatus();
}

function scheduleRefresh() {
  clearTimeout(refreshTimer);
  if (nextRefresh && !document.hidden) refreshTimer = setTimeout(refresh, Math.max(0, nextRefresh - Date.now()));
}

// Shows what there is at once, and then, if that is not fresh, the report that takes a sweep.
// Returns how long to wait before the next refresh.
async function showAtOnce() {
  // The timer that reports a first sweep as running.
  let later = 0;
  try {
    const report = await (firstFetch || fetchReport(AT_ONCE));
    provisional = !isFresh(report);
    const wait = showReport(report);
    if (!provisional) return wait;
    drawStatus();
  } catch (problem) {
    if (problem.code !== 'first-sweep-running') throw problem;
    later = setTimeout(() => {
      showProblem(problem);
      drawStatus();
    }, UNNOTICED * 1000);
  }
  try {
    return showReport(await fetchReport());
  } finally {
    clearTimeout(later);
  }
}

// A response without max-age is one that only this visitor may see.
function isFresh({ age, maxAge }) {
  return maxAge === null ? !age : maxAge > 0;
}

// The report shown is no longer about to be replaced.
function settle() {
  if (!provisional) return;
  provisional = false;
  if (asOf) drawMissing();
}

// Returns how long to wait before the next refresh.
function showReport({ text, age, maxAge }) {
  const changed = text !== reportText;
  if (changed) {
    const report = JSON.parse(text);
    setReport(report);
    reportText = text;
    asOf = Date.parse(report.generatedAt);
  }
  if (age !== null) asOf = Date.now() - age * 1000;
  freshUntil = Date.now() + ((maxAge || -age) + GRACE) * 1000;
  const first = byId('report').hidden;
  const recovered = Boolean(trouble);
  errors = 0;
  trouble = null;
  locked = false;
  drawTokenForm();
  byId('report').hidden = false;
  if (changed || first) draw();
  if (first) performance.mark('report');
  if (first) announceCount();
  else if (recovered) announce('The report is up to date again.');
  // The Worker rounds down the rest of a report's life that it gives as max-age.
  return Math.max(maxAge === null ? DEFAULT_PERIOD - (age || 0) : maxAge + 1, SHORTEST_PERIOD);
}

// Returns how long to wait before the next refresh, or 0 to wait for the visitor.
function showProblem({ status, code, message, retryAfter }) {
  if (status === 401) return lock();
  locked = false;
  drawTokenForm();
  errors++;
  const calm = code === 'first-sweep-running' && !asOf;
  let title = asOf ? 'The report could not be refreshed' : 'The report could not be loaded';
  if (calm) title = 'The first report is not ready yet';
  if (trouble?.detail !== message) announce(`${title}. ${message}`);
  trouble = { title, detail: message, calm };
  const backoff = Math.min(2 ** errors, LONGEST_BACKOFF) * (0.8 + Math.random() * 0.4);
  return Math.max(calm ? Math.min(backoff, LONGEST_SWEEP_BACKOFF) : backoff, Math.min(retryAfter || 0, LONGEST_RETRY_AFTER));
}

function lock() {
  const refused = Boolean(readToken());
  writeToken(null);
  clearReport();
  drawServices([]);
  byId('report').hidden = true;
  document.title = 'ecs-status';
  locked = true;
  trouble = null;
  drawTokenForm(refused ? 'That token was not accepted. Check it and try again.' : '');
  return 0;
}
