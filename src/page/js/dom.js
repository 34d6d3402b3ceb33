// Helpers for the document. Whatever comes from AWS enters it as text, never as markup.

const root = document.documentElement;
const byId = id => document.getElementById(id);

// Characters that act instead of being displayed, as in src/api/escape.rs: change both together.
const ACTING =
  /[\0-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ufffe\uffff\u{e0000}-\u{e007f}]/gu;
const displayable = text => text.replace(ACTING, c => `[U+${c.codePointAt().toString(16).toUpperCase().padStart(4, 0)}]`);

// Sets the text of a node that holds text alone, unless it is that text already.
function setText(node, text) {
  const inner = node.firstChild;
  text = displayable(text);
  if (!inner) node.textContent = text;
  else if (inner.data !== text) inner.data = text;
}

function setLabel(node, text) {
  text = displayable(text);
  if (node.ariaLabel !== text) node.ariaLabel = text;
}

function createElement(name, className, ...children) {
  const element = document.createElement(name);
  if (className) element.className = className;
  element.append(...children.map(child => (typeof child === 'string' ? displayable(child) : child)));
  return element;
}

const cloneTemplate = id => byId(id).content.firstElementChild.cloneNode(true);

const formatNumber = new Intl.NumberFormat('en').format;
const countOf = (count, singular, plural = `${singular}s`) => `${formatNumber(count)} ${count === 1 ? singular : plural}`;

// Times are of the visitor's zone, which stands beside them.
const formatTime = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'long' }).format;
const localTimes = text => text.replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, time => (Date.parse(time) ? formatTime(Date.parse(time)) : time));

function formatDuration(milliseconds) {
  const seconds = Math.max(0, milliseconds / 1000);
  const [length, unit] = [[86400, 'd'], [3600, 'h'], [60, 'min'], [1, 's']].find(([each]) => seconds >= 2 * each) || [1, 's'];
  return `${formatNumber(Math.floor(seconds / length))} ${unit}`;
}

// One word of a shell.
const shellWord = text => (/^[\w./:@%+,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
