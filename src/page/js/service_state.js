// State of a service. The rule is that of src/fleet/model/service_state.rs: change both together;
// tests/page/test_service_state.py compares them.

const STATES_WORST_FIRST = ['failing', 'short', 'starting', 'draining', 'healthy', 'stopped'];
const STATES_AS_DISPLAYED = ['healthy', 'starting', 'draining', 'short', 'failing', 'stopped'];

// The state of a service of the report, and whether it is unhealthy.
function serviceState({ rolloutState, desiredCount: desired, runningCount: running, pendingCount: pending }) {
  const failed = rolloutState === 'FAILED';
  const rolling = rolloutState === 'IN_PROGRESS';
  const unhealthy = running !== desired || failed;
  let state;
  if (failed) state = 'failing';
  else if (running === desired) state = desired === 0 ? 'stopped' : pending > 0 ? 'starting' : 'healthy';
  else if (rolling || (running < desired && pending > 0)) state = 'starting';
  else state = running < desired ? 'short' : 'draining';
  return { state, unhealthy };
}
