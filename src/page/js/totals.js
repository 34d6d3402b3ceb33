// Totals: the counts above the services, the strip, and the legend of states.

function drawTotals(shown, matching, filtered) {
  const outOf = count => (filtered ? `of ${formatNumber(count)}` : '');
  const unhealthy = sum(shown, 'unhealthy');
  const pending = sum(shown, 'pending');
  setText(byId('total-services'), formatNumber(shown.length));
  setText(byId('of-services'), outOf(services.length));
  setText(byId('total-running'), formatNumber(sum(shown, 'running')));
  setText(byId('of-tasks'), `of ${formatNumber(sum(shown, 'desired'))} desired` + (pending ? `, ${formatNumber(pending)} pending` : ''));
  setText(byId('total-unhealthy'), formatNumber(unhealthy));
  setText(byId('of-unhealthy'), outOf(sum(services, 'unhealthy')));
  setText(byId('total-clusters'), formatNumber(new Set(shown.map(service => service.cluster)).size));
  setText(byId('of-clusters'), outOf(clusters.length));
  // As red as the worst of them, since some may only be starting.
  byId('unhealthy-total').dataset.state = unhealthy ? STATES[lowest(shown, rankOfState)] : '';
  drawStates(matching);
}

// The states of all services that match, also of those that a chosen state hides.
function drawStates(matching) {
  const counts = Object.fromEntries(STATES.map(state => [state, 0]));
  for (const service of matching) counts[service.state]++;
  const strip = byId('strip');
  const legend = byId('legend');
  for (const [index, state] of STATES.entries()) {
    if (!strip.children[index]) addState(strip, legend, state);
    const part = strip.children[index];
    part.style.flexGrow = counts[state];
    part.hidden = !counts[state];
    const button = legend.children[index];
    setText(button.firstChild, formatNumber(counts[state]));
    updatePressed(button);
    button.hidden = !counts[state] && !selectedWords.has(button.word);
  }
}

function addState(strip, legend, state) {
  const part = createElement('i');
  const button = wordButton(`is:${state}`, 'state', createElement('b'), ` ${state}`);
  button.title = MEANINGS[state];
  const meaning = createElement('li', '', createElement('span', 'pill', state), ` ${MEANINGS[state]}`);
  byId('meanings').append(meaning);
  part.dataset.state = button.dataset.state = meaning.dataset.state = state;
  strip.append(part);
  legend.append(button);
}
