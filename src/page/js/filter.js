// Filter: its box holds words. `key=value` is a tag, `is:failing` a state, and any other word is text
// to search for. Quotes hold a word together; a doubled quote stands for itself.

const splitWords = text =>
  (text.match(/(?:[^\s"]|"(?:[^"]|"")*(?:"|$))+/g) || [])
    .map(word => word.replace(/"((?:[^"]|"")*)(?:"|$)/g, (_, inner) => inner.replaceAll('""', '"')))
    .filter(Boolean);

function quoteWord(word) {
  if (!/[\s"]/.test(word)) return word;
  const start = /^[^\s"=]+=/.exec(word)?.[0].length || 0;
  return `${word.slice(0, start)}"${word.slice(start).replaceAll('"', '""')}"`;
}

const isPair = word => word.indexOf('=') > 0;
const keyIn = word => word.slice(0, word.indexOf('='));
const valueIn = word => word.slice(word.indexOf('=') + 1);
const isState = word => word.startsWith('is:') && STATES.includes(word.slice(3));

// Words to a filter. Different keys must all match; of a key that is repeated, one value must, as in /list.
function compileFilter(words) {
  const byKey = new Map();
  const texts = [];
  const states = new Set();
  for (const word of words) {
    if (isState(word)) states.add(word.slice(3));
    else if (isPair(word)) byKey.set(keyIn(word), [...(byKey.get(keyIn(word)) || []), word]);
    else texts.push(word.toLowerCase());
  }
  const alternatives = [...byKey.values()];
  const matches = service =>
    alternatives.every(pairs => pairs.some(pair => service.pairs.includes(pair))) &&
    texts.every(text => service.text.includes(text));
  return { matches, states, texts };
}

const wordsInFilter = () => splitWords(byId('filter').value);

// Adds a word to the filter, or removes it.
function toggleWord(word) {
  const words = wordsInFilter();
  const others = words.filter(each => each !== word);
  byId('filter').value = (others.length < words.length ? others : [...words, word]).map(quoteWord).join(' ');
  filterChanged('pushState');
}

function clearFilter() {
  if (!byId('filter').value && !byId('only').checked) return;
  byId('filter').value = '';
  byId('only').checked = false;
  filterChanged('pushState');
}

// `method` is the one of `history` that takes the new address.
function filterChanged(method) {
  const address = addressOfView();
  if (address !== location.pathname + location.search + location.hash) history[method](null, '', address);
  draw();
  announceCount();
}
