// One crossing between wasm and here where one for each header would be: they cost more than what is done here.

// Requests share a signal if its time is up earlier than theirs by less than this part of it: a timer for each costs
// as much as sending it.
const SHARED = 1 / 16;

// What a body is read into at first: ten services with all their events take less.
const ROOM = 256 * 1024;

const pairs = (lines) =>
  Object.fromEntries(
    lines.map((line) => {
      const end = line.indexOf(": ");
      return [line.slice(0, end), line.slice(end + 2)];
    }),
  );

const valuesOf = (headers, names) => names.split(" ").map((name) => headers.get(name));

/** The method and the URL of a request, and the headers that `names` names, a line each: "=" and the value, if any. */
export function read(request, names) {
  const values = valuesOf(request.headers, names).map((value) => (value === null ? "" : `=${value}`));
  return [request.method, request.url, ...values].join("\n");
}

/** A response with header lines. `body` is an array of bytes that nobody changes. */
export function respond(status, head, body) {
  return new Response(body.length ? body : null, { status, headers: pairs(head.split("\n")) });
}

/** The exchanges of one invocation or one Durable Object, as signals belong to these. */
export class Exchanges {
  #free = [];
  #most;
  #names;
  #signal;
  #until = 0;

  /** Bodies have at most `most` bytes, and the headers that `names` names are read where the status is not 200. */
  constructor(most, names) {
    this.#most = most;
    this.#names = names;
  }

  /**
   * Sends `message`, which is the URL, header lines, an empty line and the body. Resolves to the body of a 200 as
   * bytes, to null if it is too long, and for any other status to [status as text, bytes, ...values of the headers].
   * Rejects after `timeout` milliseconds, or a little less. The bytes are to be given back once they are copied.
   */
  async post(message, timeout) {
    const end = message.indexOf("\n\n");
    const [url, ...lines] = message.slice(0, end).split("\n");
    const response = await fetch(url, {
      method: "POST",
      headers: pairs(lines),
      body: message.slice(end + 2),
      redirect: "manual",
      signal: this.#within(timeout),
    });
    if (response.headers.get("content-length") > this.#most) {
      await response.body?.cancel();
      return null;
    }
    const bytes = await this.#read(response.body);
    if (response.status === 200 || bytes === null) {
      return bytes;
    }
    return [String(response.status), bytes, ...valuesOf(response.headers, this.#names)];
  }

  /** Takes back the bytes of a body, of which the next one may make use. */
  reuse(bytes) {
    if (bytes.buffer.byteLength === ROOM) {
      this.#free.push(bytes.buffer);
    }
  }

  // Fewer bytes than there was room for are the last ones. `arrayBuffer()` takes no less CPU, more memory, and a body
  // without an end until time or memory is up; reading chunk by chunk takes several times the CPU.
  async #read(body) {
    let buffer = this.#free.pop() ?? new ArrayBuffer(ROOM);
    let length = 0;
    const reader = body?.getReader({ mode: "byob" });
    while (reader) {
      const { value } = await reader.readAtLeast(buffer.byteLength - length, new Uint8Array(buffer, length));
      buffer = value.buffer;
      length += value.length;
      if (length < buffer.byteLength) {
        break;
      }
      if (length > this.#most) {
        await reader.cancel();
        return null;
      }
      buffer = buffer.transfer(Math.min(2 * length, this.#most + 1));
    }
    return new Uint8Array(buffer, 0, length);
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
