// Helpers for the document. Whatever comes from AWS enters it as text, never as markup.

const root = document.documentElement;
const byId = id => document.getElementById(id);

// Sets the text of a node that holds text alone, unless it is that text already.
function setText(node, text) {
  const inner = node.firstChild;
  if (!inner) node.textContent = text;
  else if (inner.data !== text) inner.data = text;
}

function setLabel(node, text) {
  if (node.ariaLabel !== text) node.ariaLabel = text;
}

function createElement(name, className, ...children) {
  const element = document.createElement(name);
  if (className) element.className = className;
  element.append(...children);
  return element;
}

const cloneTemplate = id => byId(id).content.firstElementChild.cloneNode(true);

const formatNumber = new Intl.NumberFormat('en').format;
const countOf = (count, singular, plural = `${singular}s`) => `${formatNumber(count)} ${count === 1 ? singular : plural}`;
