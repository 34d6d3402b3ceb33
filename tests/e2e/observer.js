// Observer of the built Worker: tells its tests when an object starts, which rows it writes and which timers are
// pending, and lets writes fail as they do beyond the daily limit of Cloudflare's free plan.

import * as built from "./index.js";

// What Cloudflare says beyond the limit.
const LIMIT = "Exceeded allowed rows written in Durable Objects free tier.";

/** The end of each timer that is pending, by its number or by its signal. */
const timers = new Map();
let writesFail = false;

function log(event, fields) {
  console.log(JSON.stringify({ level: "debug", event, ...fields }));
}

function observeTimers() {
  const { setTimeout, clearTimeout } = globalThis;
  const timeout = AbortSignal.timeout.bind(AbortSignal);
  globalThis.setTimeout = (callback, delay, ...values) => {
    const timer = setTimeout((...values) => {
      timers.delete(Number(timer));
      callback(...values);
    }, delay, ...values);
    timers.set(Number(timer), Date.now() + delay);
    return timer;
  };
  globalThis.clearTimeout = (timer) => {
    timers.delete(Number(timer));
    clearTimeout(timer);
  };
  AbortSignal.timeout = (delay) => {
    const signal = timeout(delay);
    timers.set(signal, Date.now() + delay);
    return signal;
  };
}

/** Replaces the methods that write, for all objects: they share their prototypes. */
function observeWrites(storage) {
  const sql = Object.getPrototypeOf(storage.sql);
  const { exec } = sql;
  if (exec.isObserved) {
    return;
  }
  sql.exec = function (query, ...values) {
    const [verb] = query.split(" ");
    if (writesFail && verb !== "SELECT") {
      throw new Error(LIMIT);
    }
    const cursor = exec.call(this, query, ...values);
    if (cursor.rowsWritten > 0) {
      log("rowsWritten", { verb, rows: cursor.rowsWritten });
    }
    return cursor;
  };
  sql.exec.isObserved = true;
  const alarms = Object.getPrototypeOf(storage);
  const { setAlarm } = alarms;
  alarms.setAlarm = async function (...values) {
    if (writesFail) {
      throw new Error(LIMIT);
    }
    // Each counts as one row (Cloudflare Durable Objects documentation, "Pricing").
    log("rowsWritten", { verb: "ALARM", rows: 1 });
    return setAlarm.apply(this, values);
  };
}

observeTimers();

export class SnapshotObject extends built.SnapshotObject {
  constructor(state, env) {
    super(state, env);
    log("objectStarted", { object: state.id.name });
    observeWrites(state.storage);
  }
}

export default {
  async fetch(request, env, context) {
    const { pathname, search } = new URL(request.url);
    if (pathname === "/observer/timers") {
      const now = Date.now();
      return Response.json([...timers.values()].filter((end) => end > now).map((end) => end - now));
    }
    if (pathname === "/observer/writes") {
      writesFail = search === "?fail";
      return new Response();
    }
    return new built.default(context, env).fetch(request);
  },
};
