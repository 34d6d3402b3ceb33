// Request and response of the runtime. Each crossing between wasm and JavaScript costs more than the work that is
// done here, so there is one for each, not one for each header.

import { headerLines, headerValues } from "./headers.js";

/** The method, the URL, and a line for each header in `names`: "=" and its value, or nothing if it is absent. */
export function readRequest(request, names) {
  const values = headerValues(request.headers, names).map((value) => (value === null ? "" : `=${value}`));
  return [request.method, request.url, ...values].join("\n");
}

/** A response with these header lines. `body` is an array of bytes that is not changed any more. */
export function makeResponse(status, head, body) {
  return new Response(body.length ? body : null, { status, headers: headerLines(head.split("\n")) });
}
