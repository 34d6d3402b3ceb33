// Announcements for screen readers.

// The timer of the next one.
let announcement = 0;

function announce(text) {
  byId('said').textContent = displayable(text);
}

// Waits until typing pauses.
function announceCount() {
  clearTimeout(announcement);
  announcement = setTimeout(() => {
    const [shown, unhealthy] = ['total-services', 'total-unhealthy'].map(id => byId(id).textContent);
    announce(`${shown} of ${countOf(services.length, 'service')} shown, ${unhealthy} unhealthy.`);
  }, 500);
}
