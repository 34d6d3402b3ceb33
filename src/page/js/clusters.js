// Clusters: a section each, with a head and chunks of rows.

// By the cluster's key.
const sections = new Map();
let headCount = 0;

const lowest = (services, rank) => services.reduce((least, service) => Math.min(least, rank(service)), Infinity);
const rankOfState = ({ state }) => STATES.indexOf(state);

// By what services, and then clusters, are sorted. The report itself is sorted by name.
const newest = ({ deployed }) => -deployed;
const SORT_RANKS = {
  state: [rankOfState, services => lowest(services, rankOfState)],
  deployed: [newest, services => lowest(services, newest)],
  running: [service => -service.running, services => -sum(services, 'running')],
};

function groupByCluster(shown) {
  const groups = new Map();
  for (const service of shown) {
    if (!groups.has(service.cluster)) groups.set(service.cluster, []);
    groups.get(service.cluster).push(service);
  }
  const ranks = SORT_RANKS[byId('sort').value];
  if (!ranks) return [...groups];
  const [rank, rankOfGroup] = ranks;
  const ranked = [...groups].map(([cluster, group]) => [cluster, group.sort((a, b) => rank(a) - rank(b)), rankOfGroup(group)]);
  return ranked.sort((a, b) => a[2] - b[2]);
}

function drawServices(shown) {
  const focused = document.activeElement;
  onlyNear = shown.length > ALL_DRAWN_UP_TO;
  let next = byId('services').firstChild;
  for (const [cluster, group] of groupByCluster(shown)) {
    const section = sectionOf(cluster);
    section.shown = group;
    // The head of a tall section stays in sight.
    section.classList.toggle('tall', group.length > CHUNK_ROWS);
    if (section === next) next = next.nextSibling;
    else byId('services').insertBefore(section, next);
    fillSection(section, group);
    if (section.head.firstElementChild.id) drawHead(section);
  }
  while (next) {
    const section = next;
    next = section.nextSibling;
    section.chunks.forEach(removeChunk);
    sections.delete(section.cluster.key);
    section.remove();
  }
  drawQueueInSight();
  if (focused !== document.activeElement && focused?.isConnected) focused.focus({ preventScroll: true });
}

function sectionOf(cluster) {
  let section = sections.get(cluster.key);
  if (!section) {
    section = cloneTemplate('cluster-template');
    section.head = section.firstElementChild;
    section.chunks = [];
    sections.set(cluster.key, section);
  }
  section.cluster = cluster;
  return section;
}

function fillSection(section, group) {
  const count = onlyNear ? Math.ceil(group.length / CHUNK_ROWS) : 1;
  while (section.chunks.length > count) removeChunk(section.chunks.pop());
  while (section.chunks.length < count) {
    const chunk = createChunk();
    section.chunks.push(chunk);
    section.append(chunk);
  }
  section.chunks.forEach((chunk, index) => {
    const first = index * CHUNK_ROWS;
    const previousLength = chunk.services?.length;
    chunk.services = count > 1 ? group.slice(first, first + CHUNK_ROWS) : group;
    const last = first + chunk.services.length;
    setLabel(chunk, count > 1 ? `Services ${first + 1} to ${last} of ${group.length}` : section.cluster.name);
    if (chunk.drawn || !onlyNear) enqueue(chunk);
    else if (previousLength !== chunk.services.length) estimateHeight(chunk);
  });
}

function drawHead(section) {
  const { head, cluster, shown } = section;
  const [title, summary, tags, chips] = head.children;
  if (!title.id) {
    title.id = `cluster-${++headCount}`;
    section.setAttribute('aria-labelledby', title.id);
  }
  setText(title, cluster.name);
  const unhealthy = sum(shown, 'unhealthy');
  setText(
    summary,
    `${countOf(shown.length, 'service')}, ${formatNumber(sum(shown, 'running'))}/${formatNumber(sum(shown, 'desired'))} running` +
      (unhealthy ? `, ${formatNumber(unhealthy)} unhealthy` : ''),
  );
  if (!chips.firstChild) {
    if (cluster.target !== 'default') chips.append(createChip(`target=${cluster.target}`));
    chips.append(createChip(`region=${cluster.region}`));
  }
  for (const chip of chips.children) updatePressed(chip);
  setText(tags, Object.entries(cluster.tags).map(pair => pair.join('=')).join('  '));
}
