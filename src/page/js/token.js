// Token: what the Worker wants where its report is not public. It is stored for this tab only.

// Whether the page waits for a token.
let locked = false;

const readToken = () => readStorage('sessionStorage', 'token');
const writeToken = token => writeStorage('sessionStorage', 'token', token);

function drawTokenForm(complaint) {
  byId('token-form').hidden = !locked;
  if (!locked) return;
  const field = byId('token');
  field.setAttribute('aria-invalid', String(Boolean(complaint)));
  field.value = '';
  setText(byId('token-detail'), complaint || 'The token is stored for this tab only, and is forgotten when you close the tab.');
  announce(complaint || byId('token-title').textContent);
  field.focus();
}

function submitToken() {
  const token = byId('token').value.trim();
  // The only characters that a header can carry.
  if (!/^[\x21-\x7e]+$/.test(token)) {
    drawTokenForm('This is not a token: it contains characters that a token cannot contain.');
    return;
  }
  writeToken(token);
  refresh();
}

function forgetToken() {
  writeToken(null);
  refresh();
}
