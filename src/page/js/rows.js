// Rows: one service each.

// So many chips of a row are shown before it is unfolded.
const FOLDED_CHIPS = 6;

// The rows in the document, by the service's key.
const rows = new Map();
// The keys of the services whose chips are all shown.
const unfolded = new Set();

function rowOf(service) {
  let row = rows.get(service.key);
  if (!row) {
    row = cloneTemplate('row-template');
    const part = selector => row.querySelector(selector);
    row.parts = {
      state: part('.pill'), name: part('h3'), spot: part('.spot'),
      bar: part('.bar'), runningBar: part('.run'), pendingBar: part('.pend'),
      running: part('.count b'), pending: part('.count span'), chips: part('.chips'),
      version: part('.version b'), since: part('.version span'), why: part('.why'), reason: part('.why b'), rollout: part('.why span'),
      old: part('.aged'),
    };
    rows.set(service.key, row);
  }
  if (row.service !== service) fillRow(row, service);
  if (row.selectedWords !== selectedWords) {
    for (const child of row.parts.chips.children) if (child.word) updatePressed(child);
    row.selectedWords = selectedWords;
  }
  return row;
}

function fillRow(row, service) {
  const { parts, service: previous } = row;
  const { state, source, deployed, readAt } = service;
  row.service = service;
  if (previous?.state !== state) {
    row.dataset.state = state;
    setText(parts.state, state);
  }
  setText(parts.name, service.name);
  parts.spot.hidden = !service.spot;
  fillCounts(row, service);
  setText(parts.version, service.version);
  setText(parts.since, deployed ? `${formatDuration(generatedAt - deployed)} ago` : '');
  parts.since.title = deployed ? `Deployed ${formatTime(deployed)}` : '';
  row.classList.toggle('old', Boolean(readAt));
  // Which of the services in a part could be read is not told.
  setText(parts.old, readAt ? `up to ${formatDuration(generatedAt - readAt)} old` : '');
  const reason = reasonText(source);
  const rollout = rolloutText(source);
  setText(parts.reason, reason);
  setText(parts.rollout, rollout);
  parts.why.hidden = !reason && !rollout;
  if (!previous || String(previous.pairs) !== String(service.pairs)) fillChips(row);
}

function fillCounts(row, { running, desired, pending }) {
  const counts = [running, desired, pending].join();
  if (row.counts === counts) return;
  const { parts } = row;
  setText(parts.running, `${formatNumber(running)}/${formatNumber(desired)}`);
  setText(parts.pending, pending ? `· ${formatNumber(pending)} pending` : 'running');
  const whole = Math.max(desired, running + pending);
  parts.runningBar.style.width = `${whole && (100 * running) / whole}%`;
  parts.pendingBar.style.width = `${whole && (100 * pending) / whole}%`;
  // One cell for each task, as long as they can be told apart.
  parts.bar.style.setProperty('--cells', whole);
  parts.bar.classList.toggle('cells', whole > 1 && whole <= 20);
  if (row.counts) row.classList.add('changed');
  row.counts = counts;
}

function fillChips(row) {
  const { service } = row;
  const words = service.pairs.slice(0, service.tags.length);
  // A button that unfolds a single chip would take the room of that chip.
  const shown = unfolded.has(service.key) || words.length <= FOLDED_CHIPS + 1 ? words : words.slice(0, FOLDED_CHIPS);
  const chips = shown.map(createChip);
  if (shown.length < words.length) {
    const more = createElement('button', 'more', `+${words.length - shown.length} more`);
    more.type = 'button';
    chips.push(more);
  }
  row.parts.chips.replaceChildren(...chips);
}

function unfoldChips(row) {
  unfolded.add(row.service.key);
  fillChips(row);
  row.parts.chips.children[FOLDED_CHIPS].focus();
}

// Removes this row and those after it.
function removeRowsFrom(row) {
  while (row) {
    const next = row.nextSibling;
    if (rows.get(row.service.key) === row) rows.delete(row.service.key);
    row.remove();
    row = next;
  }
}
