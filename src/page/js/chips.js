// Chips: buttons that add a word to the filter or remove it.

// The words in the filter, as they were last drawn.
let selectedWords = new Set();

function createChip(word) {
  const value = valueIn(word);
  const name = createElement('i', '', word.slice(0, word.length - value.length));
  return wordButton(word, 'chip', name, value || createElement('em', '', 'empty'));
}

function wordButton(word, className, ...children) {
  const button = createElement('button', className, ...children);
  button.type = 'button';
  button.word = word;
  updatePressed(button);
  return button;
}

function updatePressed(button) {
  const pressed = String(selectedWords.has(button.word));
  if (button.getAttribute('aria-pressed') !== pressed) button.setAttribute('aria-pressed', pressed);
}
