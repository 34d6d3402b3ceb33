// Request and response of the runtime. Each crossing between wasm and JavaScript costs more than the work that is
// done here, so there is one for each, not one for each header.

// In the order of `parse` in request.rs.
const HEADERS = [
  "accept",
  "authorization",
  "if-none-match",
  "if-modified-since",
  "prefer",
  "x-prometheus-scrape-timeout-seconds",
  "cf-ray",
  "cf-connecting-ip",
];

/** The method, the URL, and a line for each of `HEADERS`: "=" and its value, or nothing if it is absent. */
export function readRequest(request) {
  let lines = `${request.method}\n${request.url}`;
  for (const name of HEADERS) {
    const value = request.headers.get(name);
    lines += value === null ? "\n" : `\n=${value}`;
  }
  return lines;
}

/** The body as bytes; null if it has more than `most`. */
export async function readBody(request, most) {
  if (request.headers.get("content-length") > most) {
    return null;
  }
  const chunks = [];
  let length = 0;
  for await (const chunk of request.body ?? []) {
    length += chunk.length;
    if (length > most) {
      return null;
    }
    chunks.push(chunk);
  }
  return new Uint8Array(await new Blob(chunks).arrayBuffer());
}

/** A response with these header lines. `body` is an array of bytes that is not changed any more. */
export function makeResponse(status, head, body) {
  return new Response(body.length ? body : null, { status, headers: headerLines(head.split("\n")) });
}

/** An object of headers from lines of "name: value". */
export function headerLines(lines) {
  const headers = {};
  for (const line of lines) {
    const end = line.indexOf(": ");
    headers[line.slice(0, end)] = line.slice(end + 2);
  }
  return headers;
}
