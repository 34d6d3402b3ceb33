// Fetch of AWS: sends a request and reads its response in one crossing between wasm and JavaScript, since a crossing
// costs more than the work that is done here.

import { headerLines } from "./request.js";

// Requests share a deadline that is earlier than theirs by less than this part of their time: a timer for each request
// costs as much as sending it.
const SHARED = 1 / 16;

// The size of a new buffer for a body, in bytes: ten services with all their events take less.
const ROOM = 256 * 1024;

/**
 * The deadline of the requests that are in flight together. Its timer is cleared with the last of them, since a Durable
 * Object stays in memory, and is billed, as long as a timer is pending; one of `AbortSignal.timeout` cannot be cleared.
 */
class Deadline {
  #controller = new AbortController();
  #inFlight = 0;
  #timer;

  constructor(timeout) {
    this.at = Date.now() + timeout;
    this.#timer = setTimeout(() => this.#controller.abort(), timeout);
  }

  get signal() {
    return this.#controller.signal;
  }

  /** Whether requests may still join. */
  get isOpen() {
    return this.#timer !== undefined;
  }

  join() {
    this.#inFlight += 1;
  }

  leave() {
    this.#inFlight -= 1;
    if (this.#inFlight === 0) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
    }
  }
}

/** Sends requests for one invocation or one Durable Object, to which timers and signals belong. */
export class AwsFetch {
  #deadline;
  #free = [];
  #most;
  #names;

  /** Bodies have at most `most` bytes. The headers in `names` are read where the status is not 200. */
  constructor(most, names) {
    this.#most = most;
    this.#names = names.split(" ");
  }

  /**
   * Sends `message`: the URL, header lines, an empty line and the body. Resolves to the body of a 200 as bytes, to
   * null if it is too long, and for any other status to [status as text, bytes, ...values of the headers]. Rejects
   * after `timeout` milliseconds, or a little earlier. Pass the bytes to `reuse` once they are copied.
   */
  async post(message, timeout) {
    const end = message.indexOf("\n\n");
    const [url, ...lines] = message.slice(0, end).split("\n");
    const deadline = this.#within(timeout);
    deadline.join();
    try {
      const response = await fetch(url, {
        method: "POST",
        headers: headerLines(lines),
        body: message.slice(end + 2),
        redirect: "manual",
        signal: deadline.signal,
      });
      if (response.headers.get("content-length") > this.#most) {
        await response.body?.cancel();
        return null;
      }
      const bytes = await this.#read(response.body);
      if (response.status === 200 || bytes === null) {
        return bytes;
      }
      return [String(response.status), bytes, ...this.#names.map((name) => response.headers.get(name))];
    } finally {
      deadline.leave();
    }
  }

  /** Takes back the bytes of a body, whose buffer the next one may use. */
  reuse(bytes) {
    if (bytes.buffer.byteLength === ROOM) {
      this.#free.push(bytes.buffer);
    }
  }

  // A read of fewer bytes than requested is the last one. `arrayBuffer()` takes no less CPU, more memory, and reads a
  // body without an end until time or memory is up; reading chunk by chunk takes several times the CPU.
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
    const at = Date.now() + timeout;
    const shared = this.#deadline;
    if (!shared?.isOpen || shared.at > at || shared.at < at - timeout * SHARED) {
      this.#deadline = new Deadline(timeout);
    }
    return this.#deadline;
  }
}
