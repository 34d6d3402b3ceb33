// Drawing: everything that follows from the report and the filter.

function draw() {
  if (!asOf) return;
  const words = wordsInFilter();
  if (String([...selectedWords]) !== String(words)) selectedWords = new Set(words);
  const { matches, states, texts } = compileFilter(words);
  const only = byId('only').checked;
  const matching = services.filter(service => matches(service) && (!only || service.unhealthy));
  const shown = states.size ? matching.filter(service => states.has(service.state)) : matching;
  drawTotals(shown, matching, shown.length < services.length || words.length);
  drawMissing();
  drawServices(shown);
  drawNothing(shown, words);
  const areVersionsKnown = services.some(service => service.version);
  byId('services').classList.toggle('versions', areVersionsKnown);
  byId('sort').lastElementChild.hidden = !areVersionsKnown;
  drawCurl(words, only, states, texts.length);
  const unhealthy = sum(services, 'unhealthy');
  document.title = (unhealthy ? `${formatNumber(unhealthy)} unhealthy · ` : '') + 'ecs-status';
}

// What the report lacks, unless that may change in a moment.
function drawMissing() {
  const MOST = 20;
  byId('missing').hidden = provisional || !failures.length;
  setText(byId('missing-title'), `This report is incomplete: ${countOf(failures.length, 'part')} of the fleet could not be read`);
  const items = failures.slice(0, MOST).map(({ target, region, clusterName, serviceName, reason }) => {
    const service = serviceName ? `Service ${serviceName} in cluster` : 'Cluster';
    const place = clusterName ? `${service} ${clusterName} in ${region}` : `Region ${region}`;
    return createElement('li', '', createElement('b', '', `${place} (target ${target})`), `: ${localTimes(reason)}.`);
  });
  if (failures.length > MOST) items.push(createElement('li', '', `And ${formatNumber(failures.length - MOST)} more.`));
  byId('missing-list').replaceChildren(...items);
}

// Why no service is shown.
function drawNothing(shown, words) {
  byId('tools').hidden = !services.length;
  byId('nothing').hidden = shown.length > 0;
  if (shown.length) return;
  byId('clear').hidden = !services.length;
  let title = 'No service matches';
  let detail = 'Tags match by their exact value, including case. Any other word matches part of a name or tag.';
  if (!services.length) {
    title = failures.length ? 'No service could be read' : 'No active Fargate services';
    detail = 'Services appear here as soon as ECS reports them.';
  } else if (byId('only').checked && !words.length) {
    title = 'No service is unhealthy';
    detail = 'As many tasks run as desired, or more while a rollout is in progress.';
  }
  if (failures.length) {
    if (services.length) title += ' among those that could be read';
    detail = 'This report is incomplete: see above what it lacks.';
  }
  setText(byId('nothing-title'), title);
  setText(byId('nothing-detail'), detail);
  byId('nothing-chips').replaceChildren(...otherPairs(words).map(createChip));
}

// Other values of the keys in the filter.
function otherPairs(words) {
  const MOST = 8;
  const keys = new Set(words.filter(isPair).map(keyIn));
  const others = new Set();
  for (const { pairs } of keys.size ? services : []) {
    for (const pair of pairs) if (keys.has(keyIn(pair)) && !selectedWords.has(pair) && others.size < MOST) others.add(pair);
  }
  return [...others];
}

// The command that requests this view; /list does not search for text.
function drawCurl(words, only, states, hasText) {
  const search = new URLSearchParams();
  for (const word of words) if (isPair(word) && filterKeys.includes(keyIn(word))) search.append(keyIn(word), valueIn(word));
  for (const state of states) search.append('state', state);
  if (only) search.append('unhealthy', 'true');
  const query = search.toString();
  const url = `${location.origin}/list${query && `?${query}`}`;
  const header = readToken() ? '-H "Authorization: Bearer $TOKEN" ' : '';
  setText(byId('curl'), `curl ${header}${shellWord(url)}`);
  setText(byId('curl-note'), hasText ? 'Text filters this page only; the command leaves it out.' : '');
  byId('view').hidden = false;
}

// The examples in the page name no host: caches store it for all of them.
function drawExamples() {
  const examples = byId('examples');
  const here = (_, path) => shellWord(location.origin + path);
  examples.textContent = examples.textContent.replace(/'?https:\/\/[^/]+([^'\n]*)'?/g, here);
}
