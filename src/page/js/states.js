// States of services, worst first, with what each means; and why a service is in one.

const UNHEALTHY = {
  failing: 'the rollout has failed, or its new tasks fail',
  'rolling-back': 'the rollout has failed, and ECS brings back the version before',
  stuck: 'the rollout takes too long: new tasks are still missing',
  short: 'fewer tasks run than desired, and no others are on their way',
  starting: 'fewer tasks run than desired, and others are on their way',
  draining: 'more tasks run than desired; services that ECS calls DRAINING are being deleted and are not shown',
};
const MEANINGS = {
  ...UNHEALTHY,
  deploying: 'a rollout is in progress, and as many tasks run as desired, or more',
  healthy: 'as many tasks run as desired',
  stopped: 'no task is desired, and none runs',
};
const STATES = Object.keys(MEANINGS);

const REASONS = {
  'image-pull': 'cannot pull its image',
  permissions: 'lacks a permission',
  'placement-capacity': 'finds no capacity for its tasks',
  'placement-constraint': 'has settings that leave its tasks no place',
  'health-check': 'fails its health checks',
  'start-failed': 'cannot start its tasks',
  throttled: 'is throttled by ECS',
  'deployment-failed': 'failed to deploy',
  'rolled-back': 'was rolled back',
  other: 'cause unknown: its events in ECS may tell',
};

// Tasks start and stop for a while without any fault.
function reasonText({ reason, state }) {
  const ordinary = reason === 'other' && (state === 'starting' || state === 'draining');
  return ordinary ? '' : REASONS[reason] || reason || '';
}

const formatKnown = count => (count == null ? '?' : formatNumber(count));

// The rollout, unless it is completed, and the versions that it concerns.
function rolloutText({ rolloutState, taskDefinition, deployments }) {
  const parts = rolloutState && rolloutState !== 'COMPLETED' ? [`rollout ${rolloutState.toLowerCase().replaceAll('_', ' ')}`] : [];
  // The row names the family already.
  const [family] = /^.*:(?=\d+$)/.exec(taskDefinition) || [''];
  for (const each of deployments || []) {
    const { status, runningCount, desiredCount, pendingCount, failedTasks } = each;
    const name = each.taskDefinition || (status || 'unknown').toLowerCase();
    const version = name.startsWith(family) ? name.slice(family.length) : name;
    const counts = [
      `${version}: ${formatKnown(runningCount)} of ${formatKnown(desiredCount)}`,
      pendingCount && `${formatNumber(pendingCount)} pending`,
      failedTasks && `${formatNumber(failedTasks)} failed`,
    ];
    // A line breaks between versions only.
    parts.push(counts.filter(Boolean).join(', ').replaceAll(' ', '\u00a0'));
  }
  return parts.join(' · ');
}
