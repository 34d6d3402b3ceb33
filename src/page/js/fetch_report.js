// Request for the report, and why it failed.

// How long to wait for a response.
const REQUEST_SECONDS = 60;
// The preference (RFC 7240) for the report in hand over a fresh one.
const AT_ONCE = 'wait=0';

// A failed request: its status, or 0 if there was no response, and the code of the problem (RFC 9457).
class Problem extends Error {
  constructor(detail, { status = 0, code = '', retryAfter = 0 } = {}) {
    super(detail);
    Object.assign(this, { status, code, retryAfter });
  }
}

async function fetchReport(preference) {
  const response = await fetchList(preference);
  if (!response.ok) throw await problemOf(response);
  const text = await response.text().catch(() => {
    throw new Problem('The connection was lost while the report was loading.');
  });
  const age = response.headers.get('Age');
  const maxAge = /(?:^|[\s,])max-age=(\d+)/.exec(response.headers.get('Cache-Control') || '');
  return { text, age: age && +age, maxAge: maxAge && +maxAge[1] };
}

async function fetchList(preference) {
  const headers = { Accept: 'application/json' };
  if (preference) headers.Prefer = preference;
  if (readToken()) headers.Authorization = `Bearer ${readToken()}`;
  try {
    return await fetch('/list', { headers, cache: 'no-cache', signal: AbortSignal.timeout(REQUEST_SECONDS * 1000) });
  } catch (error) {
    if (error.name === 'TimeoutError') throw new Problem('The server did not respond in time.');
    throw new Problem(navigator.onLine ? 'The server cannot be reached.' : 'This device is offline.');
  }
}

async function problemOf(response) {
  const { status, headers } = response;
  const isProblem = /problem\+json/.test(headers.get('Content-Type') || '');
  const body = isProblem ? await response.json().catch(() => ({})) : {};
  const after = headers.get('Retry-After');
  const retryAfter = after && (/^\d+$/.test(after) ? +after : (Date.parse(after) - Date.now()) / 1000 || 0);
  return new Problem(body.detail || `The server returned status ${status}.`, { status, code: body.code, retryAfter });
}
