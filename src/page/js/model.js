// Model: the report in the form in which it is filtered and drawn.

let services = []; // All of them, in the order of the report.
let clusters = [];
let failures = [];
let asOf = 0; // When the report was true, by this machine's clock; 0 while there is none.
let reportText = ''; // The report as it was received.

// The tags by which /list can be filtered.
const filterKeys = root.dataset.filterKeys.split(',').filter(Boolean);

function setReport(report) {
  services = [];
  clusters = report.clusters.map(each => {
    const { clusterName, target, region, tags } = each;
    const cluster = { name: clusterName, target, region, tags, key: [target, region, clusterName].join('\n') };
    for (const service of each.services) services.push(toModel(service, cluster));
    return cluster;
  });
  failures = report.failures;
}

function clearReport() {
  services = clusters = failures = [];
  asOf = 0;
  reportText = '';
}

const STATES_WORST_FIRST = ['failing', 'short', 'starting', 'draining', 'deploying', 'healthy', 'stopped'];
const STATES_AS_DISPLAYED = ['healthy', 'deploying', 'starting', 'draining', 'short', 'failing', 'stopped'];

// Whether a service is unhealthy, by the rule of /list?unhealthy=true.
function isUnhealthy({ state, desiredCount, runningCount }) {
  return state === 'failing' || (state !== 'deploying' && runningCount !== desiredCount);
}

function toModel(service, cluster) {
  const tags = sortedTags(service.tags);
  const pairs = tags.map(([key, value]) => `${key}=${value}`);
  const { name: clusterName, target, region } = cluster;
  return {
    state: service.state,
    unhealthy: isUnhealthy(service),
    cluster,
    tags,
    name: service.serviceName,
    key: `${cluster.key}\n${service.serviceName}`,
    desired: service.desiredCount,
    running: service.runningCount,
    pending: service.pendingCount,
    rollout: service.rolloutState,
    spot: service.capacityProviders.includes('FARGATE_SPOT'),
    pairs: [...pairs, `target=${target}`, `region=${region}`],
    text: [clusterName, service.serviceName, target, region, ...pairs].join('\n').toLowerCase(),
  };
}

// Tags that can be filtered by come first, in the configured order; the others by name.
function sortedTags(tags) {
  const order = filterKeys;
  const rank = key => order.indexOf(key) + 1 || order.length + 1;
  return Object.entries(tags).sort(([a], [b]) => rank(a) - rank(b) || (a < b ? -1 : 1));
}

const sum = (services, member) => services.reduce((total, service) => total + service[member], 0);
