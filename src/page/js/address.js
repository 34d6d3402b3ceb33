// Address bar: it holds the view, so that a link shares it. Filter keys stand in it as in /list, and
// everything else under `q`.

// The page's own parameters give way to filter keys of the same name.
const parameterName = name => (filterKeys.includes(name) ? `_${name}` : name);

function addressOfView() {
  const search = new URLSearchParams();
  const others = [];
  for (const word of wordsInFilter()) {
    if (isPair(word) && filterKeys.includes(keyIn(word))) search.append(keyIn(word), valueIn(word));
    else others.push(quoteWord(word));
  }
  if (others.length) search.set(parameterName('q'), others.join(' '));
  if (byId('only').checked) search.set(parameterName('only'), 'unhealthy');
  if (byId('sort').value !== 'name') search.set(parameterName('sort'), byId('sort').value);
  const query = search.toString();
  return location.pathname + (query && `?${query}`) + location.hash;
}

function viewFromAddress() {
  const search = new URLSearchParams(location.search);
  const sort = search.get(parameterName('sort'));
  byId('only').checked = search.get(parameterName('only')) === 'unhealthy';
  byId('sort').value = sort in SORT_RANKS ? sort : 'name';
  const words = [];
  for (const [key, value] of search) {
    if (key === parameterName('q')) words.push(value);
    else if (![parameterName('only'), parameterName('sort')].includes(key)) words.push(quoteWord(`${key}=${value}`));
  }
  byId('filter').value = words.join(' ');
}
