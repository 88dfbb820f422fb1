// Requests to this server. A busy one (429, 503) is asked again, later and later; one that wants a key (401) gets it
// from the reader; whatever fails is told in words.

import * as key from "./key.js";

const TRIES = 6;

export class Problem extends Error {
  constructor(message, {hint = "", field = "", status = 0, id = ""} = {}) {
    super(message);
    Object.assign(this, {hint, field, status, id});
  }
}

// Returns {values, headers, ms}. onWait(seconds) is told before each pause. Throws Problem, or AbortError.
export async function ask(path, body, {signal, onWait} = {}) {
  const asked = body === undefined ? {signal} : {signal, method: "POST", type: "application/json", body: JSON.stringify(body)};
  for (let attempt = 1; ; attempt++) {
    const start = performance.now();
    const response = await send(path, asked);
    if ((response.status === 429 || response.status === 503) && attempt < TRIES) {
      const seconds = pause(response.headers.get("retry-after"), attempt);
      if (onWait) onWait(seconds);
      await sleep(seconds * 1000, signal);
      continue;
    }
    const text = await response.text();
    if (!response.ok) throw problemOf(response, text);
    return {values: JSON.parse(text), headers: response.headers, ms: performance.now() - start};
  }
}

// Returns the response, whatever its status, but 401 only where the reader gives no key.
export async function send(path, {method = "GET", type = "", body, signal} = {}) {
  for (;;) {
    const own = key.headers();
    let response;
    try {
      response = await fetch(path, {method, body, signal, credentials: "omit", headers: {...own, ...(body !== undefined && {"Content-Type": type})}});
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new Problem("The server cannot be reached.", {hint: "Is it still running? Then try again."});
    }
    if (response.status !== 401 || !(await key.renewed(own))) return response;
  }
}

function pause(said, attempt) {
  const own = Math.min(8, 0.25 * 2 ** attempt) * (0.75 + Math.random() / 2);
  return Math.min(30, Math.max(own, Number(said) || 0));
}

function sleep(ms, signal) {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(new DOMException("cancelled", "AbortError"));
    };
    const timer = setTimeout(() => {
      if (signal) signal.removeEventListener("abort", stop);
      resolve();
    }, ms);
    if (signal) signal.addEventListener("abort", stop, {once: true});
  });
}

export function problemOf(response, text) {
  const facts = {status: response.status, id: response.headers.get("x-request-id") || ""};
  let said = {};
  try {
    said = JSON.parse(text).error || {};
  } catch {
    // a gateway before the server answers in its own way
  }
  if (response.status === 401) return new Problem("The server wants an API key.", {...facts, hint: "Reload the page to type it."});
  const message = said.message || `The server answered ${response.status} ${response.statusText}`.trim() + ".";
  return new Problem(message, {...facts, hint: said.hint, field: said.field});
}

// What the server says it took itself, or null.
export function serverTime(headers) {
  const found = /dur=([\d.]+)/.exec(headers.get("server-timing") || "");
  return found ? Number(found[1]) : null;
}
