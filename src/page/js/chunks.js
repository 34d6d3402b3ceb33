// Chunks: runs of rows. In a large fleet only the chunks near the window hold their rows; the others
// are as high as their rows are estimated to be.

// Up to so many services all rows are drawn, and the browser's own search finds them.
const ALL_DRAWN_UP_TO = 300;
// In larger fleets so many rows are drawn and removed together.
const CHUNK_ROWS = 10;
// How far from the window rows are drawn.
const NEAR_PIXELS = 1000;
const ROWS_PER_FRAME = 10;
// So many rows in sight are drawn without waiting for a frame.
const ROWS_AT_ONCE = 60;

// Chunks that are to be drawn or emptied.
const queue = new Set();
// Whether only chunks near the window are drawn.
let onlyNear = false;
let rowMeasured = false;

const nearObserver = new IntersectionObserver(
  entries => {
    // What is in sight comes first.
    const distance = ({ boundingClientRect: { top, bottom } }) => Math.abs(top + bottom - innerHeight);
    entries.sort((a, b) => distance(a) - distance(b));
    for (const { target: chunk, isIntersecting, boundingClientRect } of entries) {
      chunk.near = isIntersecting;
      if (chunk.drawn) chunk.height = boundingClientRect.height;
      enqueue(chunk);
    }
  },
  { rootMargin: `${NEAR_PIXELS}px 0px` },
);

function createChunk() {
  const chunk = createElement('ul', 'rows');
  chunk.role = 'list';
  nearObserver.observe(chunk);
  return chunk;
}

function removeChunk(chunk) {
  nearObserver.unobserve(chunk);
  queue.delete(chunk);
  removeRowsFrom(chunk.firstChild);
  chunk.remove();
}

function enqueue(chunk) {
  if (!queue.size) requestAnimationFrame(drawQueue);
  queue.add(chunk);
}

function drawQueue() {
  let drawnRows = 0;
  for (const chunk of queue) {
    queue.delete(chunk);
    if (!chunk.isConnected) continue;
    if (chunk.near || !onlyNear) {
      if (!chunk.drawn) drawnRows += chunk.services.length;
      drawChunk(chunk);
    } else if (chunk.drawn && !chunk.contains(document.activeElement)) emptyChunk(chunk);
    if (drawnRows >= ROWS_PER_FRAME) break;
  }
  if (onlyNear) measureRow();
  if (queue.size) requestAnimationFrame(drawQueue);
}

// Draws queued chunks that are in sight at once, so that no empty frame is seen.
function drawQueueInSight() {
  const windowHeight = innerHeight;
  let drawnRows = 0;
  for (const chunk of queue) {
    const { top, bottom } = chunk.getBoundingClientRect();
    if (bottom < 0) continue;
    if (top > windowHeight || drawnRows > ROWS_AT_ONCE) break;
    queue.delete(chunk);
    drawChunk(chunk);
    drawnRows += chunk.services.length;
  }
}

function drawChunk(chunk) {
  let next = chunk.firstChild;
  for (const service of chunk.services) {
    const row = rowOf(service);
    if (row === next) next = next.nextSibling;
    else chunk.insertBefore(row, next);
  }
  removeRowsFrom(next);
  chunk.drawn = true;
  chunk.style.height = '';
  drawHead(chunk.parentNode);
}

function emptyChunk(chunk) {
  removeRowsFrom(chunk.firstChild);
  chunk.drawn = false;
  chunk.style.height = `${chunk.height}px`;
}

function estimateHeight(chunk) {
  chunk.style.height = `calc(var(--row) * ${chunk.services.length})`;
}

// Takes the height of a row from the first chunk that is drawn.
function measureRow() {
  const chunk = !rowMeasured && document.querySelector('.rows:not(:empty)');
  rowMeasured ||= Boolean(chunk);
  if (chunk) byId('services').style.setProperty('--row', `${chunk.offsetHeight / chunk.services.length}px`);
}

function windowResized() {
  for (const chunk of document.querySelectorAll('.rows:empty')) estimateHeight(chunk);
  rowMeasured = false;
  measureRow();
}
