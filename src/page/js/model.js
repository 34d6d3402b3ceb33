// Model: the report in the form in which it is filtered and drawn.

// All of them, in the order of the report.
let services = [];
let clusters = [];
let failures = [];
// When the report was true, by this machine's clock; 0 while there is none.
let asOf = 0;
// The same by the Worker's clock.
let generatedAt = 0;
// The report as it was received.
let reportText = '';

// The tags by which /list can be filtered.
const filterKeys = root.dataset.filterKeys.split(',').filter(Boolean);

function setReport(report) {
  services = [];
  failures = report.failures;
  generatedAt = Date.parse(report.generatedAt);
  const times = timesOfOldParts();
  clusters = report.clusters.map(each => {
    const { clusterName, target, region, tags } = each;
    const cluster = { name: clusterName, target, region, tags, key: [target, region, clusterName].join('\n') };
    for (const service of each.services) services.push(toModel(service, cluster, times));
    return cluster;
  });
}

// When the parts that could not be read again were read, where a failure tells: by what the key of a
// service in them starts with.
function timesOfOldParts() {
  const times = new Map();
  for (const { target, region, clusterName, serviceName, reason } of failures) {
    const [, time] = /shown as of (\S+)/.exec(reason) || [];
    if (time) times.set([target, region, clusterName, serviceName].filter(Boolean).join('\n'), Date.parse(time));
  }
  return times;
}

function clearReport() {
  services = clusters = failures = [];
  asOf = 0;
  reportText = '';
}

function toModel(service, cluster, times) {
  const tags = sortedTags(service.tags);
  const pairs = tags.map(([key, value]) => `${key}=${value}`);
  const { name: clusterName, target, region } = cluster;
  const key = `${cluster.key}\n${service.serviceName}`;
  const version = service.taskDefinition || '';
  return {
    // As it stands in the report.
    source: service,
    state: service.state,
    unhealthy: service.state in UNHEALTHY,
    readAt: times.size && (times.get(key) || times.get(cluster.key) || times.get(`${target}\n${region}`)),
    version,
    deployed: Date.parse(service.deployedAt) || 0,
    cluster,
    tags,
    name: service.serviceName,
    key,
    desired: service.desiredCount,
    running: service.runningCount,
    pending: service.pendingCount,
    spot: service.capacityProviders.includes('FARGATE_SPOT'),
    pairs: [...pairs, `target=${target}`, `region=${region}`],
    text: [clusterName, service.serviceName, version, target, region, ...pairs].join('\n').toLowerCase(),
  };
}

// Tags that can be filtered by come first, in the configured order; the others by name.
function sortedTags(tags) {
  const order = filterKeys;
  const rank = key => order.indexOf(key) + 1 || order.length + 1;
  return Object.entries(tags).sort(([a], [b]) => rank(a) - rank(b) || (a < b ? -1 : 1));
}

const sum = (services, member) => services.reduce((total, service) => total + service[member], 0);
