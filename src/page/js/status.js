// Status: how fresh the report is, and what is wrong.

// Whether the report shown is one that should have been replaced by now.
const isOld = () => Date.now() > freshUntil;

function drawStatus() {
  drawFreshness();
  drawTrouble();
  byId('report').classList.toggle('old', isOld());
  byId('reading').hidden = Boolean(asOf || locked || trouble);
  byId('refresh').disabled = locked;
  byId('refresh').classList.toggle('turning', refreshing);
  byId('forget').hidden = !readToken() || locked;
}

function drawFreshness() {
  // A report that is complete says nothing good of the services in it.
  let tone = failures.length || isOld() ? 'short' : 'stopped';
  if (refreshing || !asOf) tone = 'starting';
  if (trouble && !trouble.calm) tone = 'failing';
  let age = refreshing ? 'Loading the report…' : 'Not loaded yet';
  if (locked) age = 'Locked';
  const passed = Date.now() - asOf;
  if (asOf) age = `Updated ${passed < 1000 ? 'just now' : `${formatDuration(passed)} ago`}`;
  let complete = failures.length ? 'report incomplete' : 'report complete';
  if (isOld()) complete = 'report old';
  if (provisional) complete = 'refreshing';
  if (trouble) complete = 'not refreshed';
  const box = byId('freshness');
  box.dataset.state = tone;
  box.title = asOf ? formatTime(asOf) : '';
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
  setText(byId('trouble-detail'), localTimes(trouble.detail));
  const seconds = Math.max(0, Math.ceil((nextRefresh - Date.now()) / 1000));
  const shown = asOf ? `The report shown is from ${formatTime(asOf)}. ` : '';
  setText(byId('trouble-next'), shown + (refreshing ? 'Retrying…' : `Retrying in ${seconds} s.`));
}
