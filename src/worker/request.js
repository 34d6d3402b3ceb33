// Request and response of the runtime. Each crossing between wasm and JavaScript costs more than the work that is
// done here, so there is one for each, not one for each header.

/** The method, the URL, and a line for each header in `names`: "=" and its value, or nothing if it is absent. */
export function readRequest(request, names) {
  const values = headerValues(request.headers, names).map((value) => (value === null ? "" : `=${value}`));
  return [request.method, request.url, ...values].join("\n");
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
export const headerLines = (lines) =>
  Object.fromEntries(
    lines.map((line) => {
      const end = line.indexOf(": ");
      return [line.slice(0, end), line.slice(end + 2)];
    }),
  );

/** The values of the headers in `names`, which are separated by spaces; null for those that are absent. */
export const headerValues = (headers, names) => names.split(" ").map((name) => headers.get(name));
