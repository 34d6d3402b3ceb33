// Meter of the built Worker, over the tests' observer: stamps each log line with the time, and tells what Cloudflare bills:
// requests and alarms of the object, the time that it is awake, and the calls of each invocation.

import { SnapshotObject as ObservedObject, default as observed } from "./observer.js";

/** The number of reasons for which the object is awake: requests, alarms, timers and fetches that are pending. */
let pending = 0;
let awakeSince;
/** Calls since the beginning of the sweep, or of the alarm that continues it. */
let calls = 0;

const { log: print } = console;

function log(event, fields) {
  print(JSON.stringify({ level: "debug", event, at: Date.now(), ...fields }));
}

function begin() {
  if (pending === 0) {
    awakeSince = Date.now();
  }
  pending += 1;
}

function end() {
  pending -= 1;
  if (pending === 0) {
    log("awake", { from: awakeSince });
  }
}

/** Also tells the time awake so far, since nobody knows how long it goes on. */
function endSlice() {
  if (calls > 0) {
    log("slice", { calls });
  }
  calls = 0;
  if (pending > 0) {
    log("awake", { from: awakeSince });
    awakeSince = Date.now();
  }
}

async function during(task) {
  begin();
  try {
    return await task();
  } finally {
    end();
  }
}

function meterLines() {
  console.log = (line) => {
    const fields = JSON.parse(line);
    if (fields.event === "sweep") {
      endSlice();
    }
    print(JSON.stringify({ at: Date.now(), ...fields }));
  };
}

/** Counts fetches until their headers: while a body is read, the deadline's timer is pending. */
function meterFetches() {
  const { fetch } = globalThis;
  globalThis.fetch = (...values) => {
    calls += 1;
    return during(() => fetch(...values));
  };
}

function meterTimers() {
  const { setTimeout, clearTimeout } = globalThis;
  const timeout = AbortSignal.timeout.bind(AbortSignal);
  const timers = new Set();
  const finish = (timer) => {
    if (timers.delete(Number(timer))) {
      end();
    }
  };
  globalThis.setTimeout = (callback, delay, ...values) => {
    begin();
    const timer = setTimeout((...values) => {
      try {
        callback(...values);
      } finally {
        finish(timer);
      }
    }, delay, ...values);
    timers.add(Number(timer));
    return timer;
  };
  globalThis.clearTimeout = (timer) => {
    clearTimeout(timer);
    finish(timer);
  };
  // It cannot be cleared.
  AbortSignal.timeout = (delay) => {
    globalThis.setTimeout(() => {}, delay);
    return timeout(delay);
  };
}

meterLines();
meterFetches();
meterTimers();

export class SnapshotObject extends ObservedObject {
  fetch(request) {
    log("objectRequest", { kind: "fetch" });
    return during(() => super.fetch(request));
  }

  alarm(info) {
    log("objectRequest", { kind: "alarm" });
    endSlice();
    return during(() => super.alarm(info));
  }
}

export default observed;
