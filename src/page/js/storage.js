// Storage of the browser. It may be forbidden; the page then remembers nothing.

function readStorage(storage, name) {
  try {
    return window[storage].getItem(name);
  } catch {
    return null;
  }
}

// Stores a value; null removes it.
function writeStorage(storage, name, value) {
  try {
    if (value === null) window[storage].removeItem(name);
    else window[storage].setItem(name, value);
  } catch { /* Storage is forbidden. */ }
}
