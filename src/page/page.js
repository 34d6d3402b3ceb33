// The live report: asks /list again and again, filters it here, and draws only what is near the window.
// Whatever comes from AWS goes into the document as text, never as markup.
'use strict';

const STATES = ['failing', 'short', 'starting', 'draining', 'healthy', 'stopped']; // The worst first.
const SHOWN = ['healthy', 'starting', 'draining', 'short', 'failing', 'stopped'];
const PERIOD = 15; // Seconds between two reports, where Cache-Control says nothing.
const SOON = 5; // Seconds at least; and until a report that is not fresh any more has a successor.
const LONGEST_BACKOFF = 60;
const PATIENCE = 60; // Seconds to wait for an answer.
const ALL_AT_ONCE = 300; // Up to so many services all rows are drawn, and the browser's own search finds them.
const CHUNK = 10; // Rows that are drawn and taken away together in larger fleets.
const NEAR = 1000; // Pixels around the window in which rows are drawn.
const SLICE = 20; // New rows a frame.
const CHIPS = 6;

const root = document.documentElement;
const $ = id => document.getElementById(id);

// ---- Theme: the system's, unless the other one was chosen here

const prefersDark = matchMedia('(prefers-color-scheme: dark)');
const systemTheme = () => (prefersDark.matches ? 'dark' : 'light');

// Storage may be forbidden; the page does without.
function stored(storage, name, ...value) {
  try {
    if (!value.length) return window[storage].getItem(name);
    if (value[0] === null) window[storage].removeItem(name);
    else window[storage].setItem(name, value[0]);
  } catch { /* as if nothing were there */ }
  return value[0] ?? null;
}

function showTheme(theme) {
  if (theme) root.dataset.theme = theme;
  else delete root.dataset.theme;
}

function toggleTheme() {
  const theme = (root.dataset.theme || systemTheme()) === 'dark' ? 'light' : 'dark';
  showTheme(stored('localStorage', 'theme', theme === systemTheme() ? null : theme));
}

showTheme(stored('localStorage', 'theme'));

// ---- The report as it is worked with

let services = []; // All of them, in the order of the report.
let clusters = [];
let failures = [];
let asOf = 0; // When the report was true, by this machine's clock; 0 as long as there is none.
let lastText = '';

function stateOf({ rolloutState, desiredCount: desired, runningCount: running, pendingCount: pending }) {
  const rolling = rolloutState === 'IN_PROGRESS';
  if (rolloutState === 'FAILED') return 'failing';
  if (running === desired) return desired === 0 ? 'stopped' : pending ? 'starting' : 'healthy';
  if (rolling || (running < desired && pending)) return 'starting';
  return running < desired ? 'short' : 'draining';
}

function build(report) {
  const order = keys();
  const rank = key => (order.indexOf(key) + 1 || order.length + 1);
  services = [];
  clusters = report.clusters.map(found => {
    const { clusterName, target, region, tags } = found;
    const cluster = { name: clusterName, target, region, tags, key: [target, region, clusterName].join('\n') };
    for (const service of found.services) {
      const tags = Object.entries(service.tags).sort(([a], [b]) => rank(a) - rank(b) || (a < b ? -1 : 1));
      const pairs = tags.map(([key, value]) => `${key}=${value}`);
      services.push({
        cluster, tags,
        name: service.serviceName,
        key: `${cluster.key}\n${service.serviceName}`,
        desired: service.desiredCount,
        running: service.runningCount,
        pending: service.pendingCount,
        rollout: service.rolloutState,
        spot: service.capacityProviders.includes('FARGATE_SPOT'),
        state: stateOf(service),
        unhealthy: service.runningCount !== service.desiredCount || service.rolloutState === 'FAILED',
        pairs: [...pairs, `target=${target}`, `region=${region}`],
        text: [clusterName, service.serviceName, target, region, ...pairs].join('\n').toLowerCase(),
      });
    }
    return cluster;
  });
  failures = report.failures;
}

// ---- The filter. Its box holds words: key=value for a tag, is:failing for a state, anything else is
// text to look for. Quotes hold a word together; a doubled one stands for itself.

const keys = () => root.dataset.filterKeys.split(',').filter(Boolean);

const split = text =>
  (text.match(/(?:[^\s"]|"(?:[^"]|"")*(?:"|$))+/g) || [])
    .map(word => word.replace(/"((?:[^"]|"")*)(?:"|$)/g, (_, inner) => inner.replaceAll('""', '"')))
    .filter(Boolean);

function quote(word) {
  if (!/[\s"]/.test(word)) return word;
  const cut = /^[^\s"=]+=/.exec(word)?.[0].length || 0;
  return `${word.slice(0, cut)}"${word.slice(cut).replaceAll('"', '""')}"`;
}

const keyOf = word => word.slice(0, word.indexOf('='));
const isState = word => word.startsWith('is:') && STATES.includes(word.slice(3));

// Different keys must all match, of a repeated key any may, as /list has it.
function compile(words) {
  const byKey = new Map();
  const plain = [];
  const states = new Set();
  for (const word of words) {
    if (isState(word)) states.add(word.slice(3));
    else if (word.indexOf('=') > 0) byKey.set(keyOf(word), [...(byKey.get(keyOf(word)) || []), word]);
    else plain.push(word.toLowerCase());
  }
  const groups = [...byKey.values()];
  const matches = service =>
    groups.every(any => any.some(pair => service.pairs.includes(pair))) && plain.every(word => service.text.includes(word));
  return { matches, states, plain };
}

// ---- The address bar: filter keys as /list has them, the rest under q

const own = name => (keys().includes(name) ? `_${name}` : name);

function toAddress() {
  const search = new URLSearchParams();
  const rest = [];
  for (const word of split($('filter').value)) {
    if (word.includes('=') && keys().includes(keyOf(word))) search.append(keyOf(word), word.slice(word.indexOf('=') + 1));
    else rest.push(quote(word));
  }
  if (rest.length) search.set(own('q'), rest.join(' '));
  if ($('only').checked) search.set(own('only'), 'unhealthy');
  if ($('sort').value !== 'name') search.set(own('sort'), $('sort').value);
  const query = search.toString();
  return location.pathname + (query && `?${query}`) + location.hash;
}

function fromAddress() {
  const search = new URLSearchParams(location.search);
  const sort = search.get(own('sort'));
  $('only').checked = search.get(own('only')) === 'unhealthy';
  $('sort').value = ['state', 'running'].includes(sort) ? sort : 'name';
  const words = [];
  for (const [key, value] of search) {
    if (key === own('q')) words.push(value);
    else if (![own('only'), own('sort')].includes(key)) words.push(quote(`${key}=${value}`));
  }
  $('filter').value = words.join(' ');
}

function changed(how) {
  const address = toAddress();
  if (address !== location.pathname + location.search + location.hash) history[how](null, '', address);
  draw();
  sayCount();
}

// Puts a word into the filter, or takes it out.
function toggle(word) {
  const words = split($('filter').value);
  const rest = words.filter(each => each !== word);
  $('filter').value = (rest.length < words.length ? rest : [...words, word]).map(quote).join(' ');
  changed('pushState');
}

function clear() {
  if (!$('filter').value && !$('only').checked) return;
  $('filter').value = '';
  $('only').checked = false;
  changed('pushState');
}

// ---- Small helpers for the document

function put(node, text) {
  const inner = node.firstChild;
  if (!inner) node.textContent = text;
  else if (inner.data !== text) inner.data = text;
}

const number = new Intl.NumberFormat('en').format;
const plural = (count, one, more = `${one}s`) => `${number(count)} ${count === 1 ? one : more}`;
const clone = id => $(id).content.firstElementChild.cloneNode(true);

function element(name, className, ...children) {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

let chosen = new Set(); // The words in the filter.

function chip(word) {
  const cut = word.indexOf('=') + 1;
  const value = word.slice(cut);
  const made = element('button', 'chip', element('i', '', word.slice(0, cut)), value || element('em', '', 'empty'));
  made.type = 'button';
  made.word = word;
  mark(made);
  return made;
}

function mark(chip) {
  const pressed = String(chosen.has(chip.word));
  if (chip.getAttribute('aria-pressed') !== pressed) chip.setAttribute('aria-pressed', pressed);
}

// ---- Rows

const rows = new Map(); // The rows that stand in the document, by the service's key.
const opened = new Set(); // The services of which all chips are shown.

function rowOf(service) {
  let row = rows.get(service.key);
  if (!row) {
    row = clone('row-template');
    const part = selector => row.querySelector(selector);
    row.parts = {
      word: part('.pill'), name: part('h3'), spot: part('.spot'), run: part('.run'), pend: part('.pend'),
      bar: part('.bar'), running: part('.count b'), beside: part('.count span'), rollout: part('.rollout'), chips: part('.chips'),
    };
    rows.set(service.key, row);
  }
  if (row.service !== service) fillRow(row, service);
  if (row.chosen !== chosen) {
    for (const each of row.parts.chips.children) if (each.word) mark(each);
    row.chosen = chosen;
  }
  return row;
}

function fillRow(row, service) {
  const { parts, service: before } = row;
  const { state, running, desired, pending, rollout } = service;
  row.service = service;
  if (before?.state !== state) {
    row.dataset.state = state;
    put(parts.word, state);
  }
  put(parts.name, service.name);
  parts.spot.hidden = !service.spot;
  const counts = [running, desired, pending].join();
  if (row.counts !== counts) {
    put(parts.running, `${number(running)}/${number(desired)}`);
    put(parts.beside, pending ? `· ${number(pending)} pending` : 'running');
    const whole = Math.max(desired, running + pending);
    parts.run.style.width = `${whole && (100 * running) / whole}%`;
    parts.pend.style.width = `${whole && (100 * pending) / whole}%`;
    // A cell a task, as long as they can be told apart.
    parts.bar.style.setProperty('--cells', whole);
    parts.bar.classList.toggle('cells', whole > 1 && whole <= 20);
    if (row.counts) row.classList.add('changed');
    row.counts = counts;
  }
  put(parts.rollout, rollout ? `rollout ${rollout.toLowerCase().replaceAll('_', ' ')}` : 'no rollout');
  parts.rollout.dataset.rollout = rollout;
  if (!before || String(before.pairs) !== String(service.pairs)) fillChips(row, service);
}

function fillChips(row, service) {
  const words = service.pairs.slice(0, service.tags.length);
  const shown = opened.has(service.key) || words.length <= CHIPS + 1 ? words : words.slice(0, CHIPS);
  const chips = shown.map(chip);
  if (shown.length < words.length) {
    const more = element('button', 'more', `+${words.length - shown.length} more`);
    more.type = 'button';
    chips.push(more);
  }
  row.parts.chips.replaceChildren(...chips);
}

// ---- Drawing. A cluster is a section with chunks of rows; in a large fleet only chunks near the
// window hold their rows, the others are as high as they are believed to be.

const sections = new Map(); // By the cluster's key.
const waiting = new Set(); // Chunks that are to be drawn.
let lazy = false;
let measured = false;

const watch = new IntersectionObserver(
  entries => {
    // What is in sight comes first.
    const distance = ({ boundingClientRect: { top, bottom } }) => Math.abs(top + bottom - innerHeight);
    entries.sort((a, b) => distance(a) - distance(b));
    for (const { target: chunk, isIntersecting, boundingClientRect } of entries) {
      chunk.near = isIntersecting;
      if (chunk.drawn) chunk.height = boundingClientRect.height;
      want(chunk);
    }
  },
  { rootMargin: `${NEAR}px 0px` },
);

function want(chunk) {
  if (!waiting.size) requestAnimationFrame(drawWaiting);
  waiting.add(chunk);
}

function drawWaiting() {
  let rows = 0;
  for (const chunk of waiting) {
    waiting.delete(chunk);
    if (!chunk.isConnected) continue;
    if (chunk.near || !lazy) {
      if (!chunk.drawn) rows += chunk.services.length;
      drawChunk(chunk);
    } else if (chunk.drawn && !chunk.contains(document.activeElement)) empty(chunk);
    if (rows >= SLICE) break;
  }
  if (lazy) measure();
  if (waiting.size) requestAnimationFrame(drawWaiting);
}

function drawChunk(chunk) {
  let at = chunk.firstChild;
  for (const service of chunk.services) {
    const row = rowOf(service);
    if (row === at) at = at.nextSibling;
    else chunk.insertBefore(row, at);
  }
  drop(at);
  chunk.drawn = true;
  chunk.style.height = '';
  drawHead(chunk.parentNode);
}

// This row and those after it are taken away.
function drop(row) {
  while (row) {
    const next = row.nextSibling;
    if (rows.get(row.service.key) === row) rows.delete(row.service.key);
    row.remove();
    row = next;
  }
}

function empty(chunk) {
  drop(chunk.firstChild);
  chunk.drawn = false;
  chunk.style.height = `${chunk.height}px`;
}

// How high a row is believed to be, from the first that are drawn.
function measure() {
  const chunk = !measured && document.querySelector('.rows:not(:empty)');
  measured ||= Boolean(chunk);
  if (chunk) $('services').style.setProperty('--row', `${chunk.offsetHeight / chunk.services.length}px`);
}

const guess = chunk => { chunk.style.height = `calc(var(--row) * ${chunk.services.length})`; };

function resized() {
  for (const chunk of document.querySelectorAll('.rows:empty')) guess(chunk);
  measured = false;
  measure();
}

function sectionOf(cluster) {
  let section = sections.get(cluster.key);
  if (!section) {
    section = clone('cluster-template');
    section.head = section.firstElementChild;
    section.chunks = [];
    sections.set(cluster.key, section);
  }
  section.cluster = cluster;
  return section;
}

function drawHead(section) {
  const { head, cluster, shown } = section;
  const [title, sum, tags, where] = head.children;
  if (!title.id) {
    title.id = `cluster-${++drawHead.count}`;
    section.setAttribute('aria-labelledby', title.id);
  }
  put(title, cluster.name);
  let running = 0, desired = 0, unhealthy = 0;
  for (const service of shown) {
    running += service.running;
    desired += service.desired;
    unhealthy += service.unhealthy;
  }
  put(sum, `${plural(shown.length, 'service')}, ${number(running)}/${number(desired)} running` + (unhealthy ? `, ${number(unhealthy)} unhealthy` : ''));
  if (!where.firstChild) {
    if (cluster.target !== 'default') where.append(chip(`target=${cluster.target}`));
    where.append(chip(`region=${cluster.region}`));
  }
  for (const each of where.children) mark(each);
  put(tags, Object.entries(cluster.tags).map(pair => pair.join('=')).join('  '));
}
drawHead.count = 0;

const worst = services => Math.min(...services.map(({ state }) => STATES.indexOf(state)));
const total = (services, what) => services.reduce((sum, service) => sum + service[what], 0);

// What clusters, and the services in each, are sorted by; by name they stand in the report already.
const SORTS = {
  state: [service => STATES.indexOf(service.state), worst],
  running: [service => -service.running, services => -total(services, 'running')],
};

function grouped(shown) {
  const groups = new Map();
  for (const service of shown) {
    if (!groups.has(service.cluster)) groups.set(service.cluster, []);
    groups.get(service.cluster).push(service);
  }
  const sort = SORTS[$('sort').value];
  if (!sort) return [...groups];
  const [rank, rankAll] = sort;
  const list = [...groups].map(([cluster, group]) => [cluster, group.sort((a, b) => rank(a) - rank(b)), rankAll(group)]);
  return list.sort((a, b) => a[2] - b[2]);
}

function drawServices(shown) {
  const box = $('services');
  const focused = document.activeElement;
  lazy = shown.length > ALL_AT_ONCE;
  const size = lazy ? CHUNK : Infinity;
  let at = box.firstChild;
  for (const [cluster, group] of grouped(shown)) {
    const section = sectionOf(cluster);
    section.shown = group;
    section.classList.toggle('tall', group.length > CHUNK); // Only then its head stays in sight.
    if (section === at) at = at.nextSibling;
    else box.insertBefore(section, at);
    const count = Math.ceil(group.length / size) || 1;
    while (section.chunks.length > count) removeChunk(section.chunks.pop());
    while (section.chunks.length < count) {
      const chunk = element('ul', 'rows');
      chunk.role = 'list';
      section.chunks.push(chunk);
      section.append(chunk);
      watch.observe(chunk);
    }
    section.chunks.forEach((chunk, index) => {
      const first = index * CHUNK;
      const before = chunk.services?.length;
      chunk.services = count > 1 ? group.slice(first, first + CHUNK) : group;
      const last = first + chunk.services.length;
      if (count > 1) label(chunk, `Services ${first + 1} to ${last} of ${group.length}`);
      else label(chunk, cluster.name);
      if (chunk.drawn || !lazy) want(chunk);
      else if (before !== chunk.services.length) guess(chunk);
    });
    if (section.head.firstElementChild.id) drawHead(section);
  }
  while (at) {
    const next = at.nextSibling;
    at.chunks.forEach(removeChunk);
    sections.delete(at.cluster.key);
    at.remove();
    at = next;
  }
  // What is in sight changes at once, without an empty frame in between.
  const bottom = innerHeight;
  let drawn = 0;
  for (const chunk of waiting) {
    const { top, bottom: end } = chunk.getBoundingClientRect();
    if (end < 0) continue;
    if (top > bottom || drawn > 60) break;
    waiting.delete(chunk);
    drawChunk(chunk);
    drawn += chunk.services.length;
  }
  if (focused !== document.activeElement && focused?.isConnected) focused.focus({ preventScroll: true });
}

function label(chunk, text) {
  if (chunk.ariaLabel !== text) chunk.ariaLabel = text;
}

function removeChunk(chunk) {
  watch.unobserve(chunk);
  waiting.delete(chunk);
  drop(chunk.firstChild);
  chunk.remove();
}

function draw() {
  if (!asOf) return;
  const words = split($('filter').value);
  if (String([...chosen]) !== String(words)) chosen = new Set(words);
  const { matches, states, plain } = compile(words);
  const only = $('only').checked;
  const found = services.filter(service => matches(service) && (!only || service.unhealthy));
  const shown = states.size ? found.filter(service => states.has(service.state)) : found;
  drawTotals(shown, found, shown.length < services.length || words.length);
  drawMissing();
  drawServices(shown);
  drawNothing(shown, words);
  drawCurl(words, only, plain.length || states.size);
  document.title = (total(services, 'unhealthy') ? `${plural(total(services, 'unhealthy'), 'unhealthy', 'unhealthy')} · ` : '') + 'ecs-status';
}

function drawTotals(shown, found, filtered) {
  const all = (count, what) => (filtered ? `of ${number(count)}${what}` : what.trim());
  const unhealthy = total(shown, 'unhealthy');
  const pending = total(shown, 'pending');
  put($('total-services'), number(shown.length));
  put($('of-services'), all(services.length, ''));
  put($('total-running'), number(total(shown, 'running')));
  put($('of-tasks'), `of ${number(total(shown, 'desired'))} desired` + (pending ? `, ${number(pending)} pending` : ''));
  put($('total-unhealthy'), number(unhealthy));
  put($('of-unhealthy'), all(total(services, 'unhealthy'), ''));
  put($('total-clusters'), number(new Set(shown.map(service => service.cluster)).size));
  put($('of-clusters'), all(clusters.length, ''));
  $('unhealthy-total').dataset.state = unhealthy ? 'failing' : 'healthy';

  const counts = Object.fromEntries(STATES.map(state => [state, 0]));
  for (const service of found) counts[service.state]++;
  const strip = $('strip');
  const legend = $('legend');
  for (const [index, state] of SHOWN.entries()) {
    if (!strip.children[index]) {
      const part = element('i');
      part.dataset.state = state;
      strip.append(part);
      const button = element('button', 'state', element('b'), ` ${state}`);
      button.type = 'button';
      button.dataset.state = state;
      button.word = `is:${state}`;
      legend.append(button);
    }
    strip.children[index].style.flexGrow = counts[state];
    strip.children[index].hidden = !counts[state];
    const button = legend.children[index];
    put(button.firstChild, number(counts[state]));
    mark(button);
    button.hidden = !counts[state] && !chosen.has(button.word);
  }
}

function drawMissing() {
  $('missing').hidden = !failures.length;
  put($('missing-title'), `This report is incomplete: ${plural(failures.length, 'part')} of the fleet could not be read`);
  $('missing-list').replaceChildren(
    ...failures.slice(0, 20).map(({ target, region, clusterName, reason }) => {
      const what = clusterName ? `The cluster ${clusterName}` : 'The region';
      return element('li', '', element('b', '', `${what}${clusterName ? ' in' : ''} ${region} (target ${target})`), `: ${reason}.`);
    }),
    ...(failures.length > 20 ? [element('li', '', `And ${number(failures.length - 20)} more.`)] : []),
  );
}

function drawNothing(shown, words) {
  $('tools').hidden = !services.length;
  $('nothing').hidden = shown.length > 0;
  if (shown.length) return;
  const none = !services.length;
  put($('nothing-title'), none ? 'No Fargate service is active' : 'No service matches');
  put(
    $('nothing-detail'),
    none
      ? 'As soon as ECS has one, it stands here.'
      : $('only').checked && !words.length
        ? 'All services run as many tasks as they should.'
        : 'Values are exact and case-sensitive; text may stand anywhere in a name or a tag.',
  );
  $('clear').hidden = none;
  // What there is instead, for the keys that were asked for.
  const asked = new Set(words.filter(word => word.indexOf('=') > 0).map(keyOf));
  const offered = new Set();
  for (const { pairs } of asked.size ? services : []) {
    for (const pair of pairs) if (asked.has(keyOf(pair)) && !chosen.has(pair) && offered.size < 8) offered.add(pair);
  }
  $('nothing-chips').replaceChildren(...[...offered].map(chip));
}

function drawCurl(words, only, more) {
  const search = new URLSearchParams();
  for (const word of words) if (word.indexOf('=') > 0 && keys().includes(keyOf(word))) search.append(keyOf(word), word.slice(word.indexOf('=') + 1));
  if (only) search.append('unhealthy', 'true');
  const query = search.toString().replaceAll("'", '%27');
  const url = `${root.dataset.origin}/list${query && `?${query}`}`;
  put($('curl'), `curl ${token() ? '-H "Authorization: Bearer $TOKEN" ' : ''}${query ? `'${url}'` : url}`);
  put($('curl-note'), more ? 'Text and states are looked for on this page alone.' : '');
  $('view').hidden = false;
}

// ---- What is said to those who listen

function say(text) {
  $('said').textContent = text;
}

let sayLater = 0;
function sayCount() {
  clearTimeout(sayLater);
  sayLater = setTimeout(() => say(`${$('total-services').textContent} of ${plural(services.length, 'service')} shown, ${$('total-unhealthy').textContent} unhealthy.`), 500);
}

// ---- Asking, again and again

const token = () => stored('sessionStorage', 'token');

let asking = false;
let timer = 0;
let next = 0; // When to ask again; 0: not by itself.
let errors = 0; // In a row.
let trouble = null; // { title, detail } of the last answer, if it was not a report.
let locked = false; // The token is asked for.

class Problem extends Error {
  constructor(status, detail, retryAfter = 0) {
    super(detail);
    Object.assign(this, { status, retryAfter });
  }
}

async function ask() {
  const headers = { Accept: 'application/json' };
  if (token()) headers.Authorization = `Bearer ${token()}`;
  let answer;
  try {
    answer = await fetch('/list', { headers, cache: 'no-cache', signal: AbortSignal.timeout(PATIENCE * 1000) });
  } catch (error) {
    throw new Problem(0, error.name === 'TimeoutError' ? 'No answer came in time.' : navigator.onLine ? 'The server cannot be reached.' : 'This device is offline.');
  }
  const type = answer.headers.get('Content-Type') || '';
  if (!answer.ok) {
    let detail = `The server answered with status ${answer.status}.`;
    if (/problem\+json/.test(type)) detail = (await answer.json().catch(() => ({}))).detail || detail;
    const after = answer.headers.get('Retry-After');
    throw new Problem(answer.status, detail, after && (/^\d+$/.test(after) ? +after : (Date.parse(after) - Date.now()) / 1000 || 0));
  }
  const text = await answer.text().catch(() => {
    throw new Problem(0, 'The answer broke off.');
  });
  const age = answer.headers.get('Age');
  const maxAge = /(?:^|[\s,])max-age=(\d+)/.exec(answer.headers.get('Cache-Control') || '');
  return { text, age: age && +age, maxAge: maxAge && +maxAge[1] };
}

async function refresh() {
  if (asking || !$('main')) return;
  asking = true;
  clearTimeout(timer);
  drawStatus();
  let wait;
  try {
    const { text, age, maxAge } = await (early || ask());
    early = null;
    wait = take(text, age, maxAge);
  } catch (error) {
    early = null;
    wait = fail(error instanceof Problem ? error : new Problem(0, 'The answer is not a report.'));
  }
  asking = false;
  next = wait && Date.now() + wait * 1000;
  schedule();
  drawStatus();
}

// Draws a report; answers after how many seconds to ask for the next.
function take(text, age, maxAge) {
  const news = text !== lastText;
  if (news) {
    const report = JSON.parse(text);
    build(report);
    lastText = text;
    asOf = Date.parse(report.generatedAt);
  }
  if (age !== null) asOf = Date.now() - age * 1000;
  const first = $('report').hidden;
  const recovered = Boolean(trouble);
  errors = 0;
  trouble = null;
  locked = false;
  showToken();
  $('report').hidden = false;
  if (news || first) draw();
  if (first) performance.mark('report');
  if (first) sayCount();
  else if (recovered) say('The report is up to date again.');
  // The Worker's max-age is what is left of it, rounded down.
  return Math.max(maxAge === null ? PERIOD - (age || 0) : maxAge + 1, SOON);
}

// Says what is wrong; answers after how many seconds to ask again, or 0 for not by itself.
function fail({ status, message, retryAfter }) {
  if (status === 401) {
    const wrong = Boolean(token());
    stored('sessionStorage', 'token', null);
    forgetReport();
    locked = true;
    trouble = null;
    showToken(wrong ? 'That token is not the right one. Please try another.' : '');
    return 0;
  }
  locked = false;
  showToken();
  errors++;
  const sweeping = status === 503 && !asOf && /not done yet/.test(message);
  const title = sweeping ? 'The first sweep is still running' : asOf ? 'The report could not be refreshed' : 'The fleet cannot be shown right now';
  if (trouble?.detail !== message) say(`${title}. ${message}`);
  trouble = { title, detail: message, calm: sweeping };
  const backoff = Math.min(2 ** errors, LONGEST_BACKOFF) * (0.8 + Math.random() * 0.4);
  return Math.max(sweeping ? Math.min(backoff, 5) : backoff, Math.min(retryAfter || 0, 600));
}

function forgetReport() {
  services = clusters = failures = [];
  asOf = 0;
  lastText = '';
  drawServices([]);
  $('report').hidden = true;
  document.title = 'ecs-status';
}

function schedule() {
  clearTimeout(timer);
  if (next && !document.hidden) timer = setTimeout(refresh, Math.max(0, next - Date.now()));
}

const ago = seconds =>
  seconds < 1 ? 'just now' : seconds < 120 ? `${Math.floor(seconds)} s ago` : seconds < 7200 ? `${Math.floor(seconds / 60)} min ago` : `${Math.floor(seconds / 3600)} h ago`;

function drawStatus() {
  const box = $('freshness');
  box.dataset.tone = trouble && !trouble.calm ? 'failing' : asking || !asOf ? 'busy' : failures.length ? 'short' : 'healthy';
  put($('age'), asOf ? `Updated ${ago(Math.max(0, Date.now() - asOf) / 1000)}` : locked ? 'Locked' : asking ? 'Reading the fleet…' : 'Not read yet');
  put($('complete'), !asOf ? '' : trouble ? 'not refreshed' : failures.length ? 'incomplete' : 'complete');
  box.title = asOf ? new Date(asOf).toLocaleString() : '';
  $('reading').hidden = Boolean(asOf || locked || trouble);
  $('trouble').hidden = !trouble;
  if (trouble) {
    $('trouble').classList.toggle('bad', !trouble.calm);
    $('trouble').classList.toggle('alone', !asOf);
    put($('trouble-title'), trouble.title);
    put($('trouble-detail'), trouble.detail);
    const left = Math.max(0, Math.ceil((next - Date.now()) / 1000));
    const kept = asOf ? `What you see is as of ${new Date(asOf).toLocaleTimeString()}. ` : '';
    put($('trouble-next'), kept + (asking ? 'Trying again…' : `Next try in ${left} s.`));
  }
  $('refresh').disabled = locked;
  $('refresh').classList.toggle('turning', asking);
  $('forget').hidden = !token() || locked;
}

function showToken(complaint) {
  $('token-form').hidden = !locked;
  if (!locked) return;
  const field = $('token');
  field.setAttribute('aria-invalid', String(Boolean(complaint)));
  field.value = '';
  put($('token-detail'), complaint || 'It is kept for this tab only, and forgotten when you close it.');
  say(complaint || $('token-title').textContent);
  field.focus();
}

// ---- What people do

function listen() {
  $('filter').addEventListener('input', () => changed('replaceState'));
  $('only').addEventListener('change', () => changed('pushState'));
  $('sort').addEventListener('change', () => changed('pushState'));
  $('tools').addEventListener('submit', event => event.preventDefault());
  $('clear').addEventListener('click', () => { clear(); $('filter').focus(); });
  $('refresh').addEventListener('click', refresh);
  $('retry').addEventListener('click', refresh);
  $('toggle-theme').addEventListener('click', toggleTheme);
  $('to-help').addEventListener('click', () => { $('help').open = true; });
  $('copy').addEventListener('click', async () => {
    const copied = await navigator.clipboard?.writeText($('curl').textContent).then(() => true, () => false);
    put($('curl-note'), copied ? 'Copied.' : 'The browser does not let this page copy.');
  });
  $('forget').addEventListener('click', () => { stored('sessionStorage', 'token', null); refresh(); });
  $('token-form').addEventListener('submit', event => {
    event.preventDefault();
    const given = $('token').value.trim();
    // A header cannot carry anything else.
    if (!/^[\x21-\x7e]+$/.test(given)) return showToken('That is no token: it has characters that a token cannot have.');
    stored('sessionStorage', 'token', given);
    refresh();
  });
  document.addEventListener('click', event => {
    const button = event.target.closest('button');
    if (button?.word) toggle(button.word);
    else if (button?.className === 'more') {
      const row = button.closest('.row');
      opened.add(row.service.key);
      fillChips(row, row.service);
      row.parts.chips.children[CHIPS].focus();
    }
  });
  document.addEventListener('animationend', event => event.target.classList.remove('changed'));
  document.addEventListener('keydown', event => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const typing = event.target.matches('input:not([type=checkbox]), select, textarea');
    if (event.key === '/' && !typing && !$('report').hidden) {
      event.preventDefault();
      $('filter').focus();
      $('filter').select();
    } else if (event.key === 'Escape' && event.target !== $('token')) {
      event.preventDefault();
      if ($('filter').value || $('only').checked) clear();
      else event.target.blur();
    }
  });
  addEventListener('popstate', () => { fromAddress(); draw(); sayCount(); });
  addEventListener('online', () => { if (!locked) refresh(); });
  let width = innerWidth;
  addEventListener('resize', () => { if (width !== (width = innerWidth)) resized(); });
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden && next && Date.now() >= next) refresh();
    else schedule();
    drawStatus();
  });
  setInterval(() => { if (!document.hidden) drawStatus(); }, 1000);
}

// Asked while the page is still being read; a failure is seen by whoever awaits it.
let early = document.visibilityState === 'prerender' ? null : ask();
early?.catch(() => {});

addEventListener('DOMContentLoaded', () => {
  // The help stands open beside the report where there is room, and for those without this script.
  $('help').open = matchMedia('(min-width: 90rem)').matches || location.hash === '#help';
  fromAddress();
  listen();
  refresh();
});
