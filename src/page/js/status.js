// Status: how fresh the report is, and what is wrong.

function formatAge(seconds) {
  if (seconds < 1) return 'just now';
  if (seconds < 120) return `${Math.floor(seconds)} s ago`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min ago`;
  return `${Math.floor(seconds / 3600)} h ago`;
}

function drawStatus() {
  drawFreshness();
  drawTrouble();
  byId('reading').hidden = Boolean(asOf || locked || trouble);
  byId('refresh').disabled = locked;
  byId('refresh').classList.toggle('turning', refreshing);
  byId('forget').hidden = !readToken() || locked;
}

function drawFreshness() {
  let tone = failures.length ? 'short' : 'healthy';
  if (refreshing || !asOf) tone = 'busy';
  if (trouble && !trouble.calm) tone = 'failing';
  let age = refreshing ? 'Loading the report…' : 'Not loaded yet';
  if (locked) age = 'Locked';
  if (asOf) age = `Updated ${formatAge(Math.max(0, Date.now() - asOf) / 1000)}`;
  let complete = failures.length ? 'incomplete' : 'complete';
  if (provisional) complete = 'refreshing';
  if (trouble) complete = 'not refreshed';
  const box = byId('freshness');
  box.dataset.tone = tone;
  box.title = asOf ? new Date(asOf).toLocaleString() : '';
  setText(byId('age'), age);
  setText(byId('complete'), asOf ? complete : '');
}

function drawTrouble() {
  const box = byId('trouble');
  box.hidden = !trouble;
  if (!trouble) return;
  box.classList.toggle('bad', !trouble.calm);
  box.classList.toggle('alone', !asOf);
  setText(byId('trouble-title'), trouble.title);
  setText(byId('trouble-detail'), trouble.detail);
  const seconds = Math.max(0, Math.ceil((nextRefresh - Date.now()) / 1000));
  const shown = asOf ? `The report shown is from ${new Date(asOf).toLocaleTimeString()}. ` : '';
  setText(byId('trouble-next'), shown + (refreshing ? 'Retrying…' : `Retrying in ${seconds} s.`));
}
