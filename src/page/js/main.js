// Start: requests the report, as it is at once, while the rest of the page is still being read.

let firstFetch = document.visibilityState === 'prerender' ? null : fetchReport(AT_ONCE);
// `refresh` sees the failure too, and shows it.
firstFetch?.catch(() => {});

addEventListener('DOMContentLoaded', () => {
  // Where there is room, the help stands beside the report; without this script it is open as well.
  byId('help').open = matchMedia('(min-width: 90rem)').matches || location.hash === '#help';
  drawExamples();
  viewFromAddress();
  listen();
  refresh();
});
