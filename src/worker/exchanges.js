// One crossing between wasm and here where one for each header would be: they cost more than what is done here.

// Requests share a signal if its time is up earlier than theirs by less than this part of it: a timer for each costs
// as much as sending it.
const SHARED = 1 / 16;

const pairs = (lines) =>
  Object.fromEntries(
    lines.map((line) => {
      const end = line.indexOf(": ");
      return [line.slice(0, end), line.slice(end + 2)];
    }),
  );

/** The method and the URL of a request, and the headers that `names` names, a line each: "=" and the value, if any. */
export function read(request, names) {
  const values = names.split(" ").map((name) => request.headers.get(name));
  return [request.method, request.url, ...values.map((value) => (value === null ? "" : `=${value}`))].join("\n");
}

/** A response with header lines. `body` is wasm's own memory, so it is copied. */
export function respond(status, head, body) {
  return new Response(body.length ? body.slice() : null, { status, headers: pairs(head.split("\n")) });
}

/** The exchanges of one invocation or one Durable Object, as signals belong to these. */
export class Exchanges {
  #signal;
  #until = 0;

  /**
   * Sends `message`, which is the URL, header lines, an empty line and the body. Resolves to the body of a 200 as
   * bytes, to null if it has more than `most`, and for any other status to [status as text, bytes, ...values of the
   * headers that `read` names]. Rejects after `timeout` milliseconds, or a little less.
   */
  async post(message, most, timeout, read) {
    const end = message.indexOf("\n\n");
    const [url, ...lines] = message.slice(0, end).split("\n");
    const response = await fetch(url, {
      method: "POST",
      headers: pairs(lines),
      body: message.slice(end + 2),
      redirect: "manual",
      signal: this.#within(timeout),
    });
    if (response.headers.get("content-length") > most) {
      await response.body?.cancel();
      return null;
    }
    // The stream reader of the worker crate costs several times as much CPU.
    const bytes = new Uint8Array(await response.arrayBuffer());
    if (bytes.length > most) {
      return null;
    }
    if (response.status === 200) {
      return bytes;
    }
    return [String(response.status), bytes, ...read.split(" ").map((name) => response.headers.get(name))];
  }

  #within(timeout) {
    const until = Date.now() + timeout;
    if (this.#until > until || this.#until < until - timeout * SHARED) {
      this.#until = until;
      this.#signal = AbortSignal.timeout(timeout);
    }
    return this.#signal;
  }
}
