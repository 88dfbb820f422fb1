// What links lead to, where the server wants a key: a link cannot carry one. So the page fetches it, and hands it to an
// empty page that has a report's rights and no more.

import {problemOf, send} from "./asking.js";
import * as key from "./key.js";

// onProblem(error) is told what went wrong.
export function withKey(link, onProblem) {
  link.addEventListener("click", (event) => {
    if (!key.given()) return;
    event.preventDefault();
    show(link.href).catch(onProblem);
  });
}

// Called while a click is handled, else the browser opens no page.
async function show(address) {
  const opened = open("page/paper.html");
  const ready = new Promise((resolve) => {
    addEventListener("message", function hear(event) {
      if (event.source !== opened) return;
      removeEventListener("message", hear);
      resolve();
    });
  });
  try {
    const response = await send(address);
    const text = await response.text();
    if (!response.ok) throw problemOf(response, text);
    await ready;
    opened.postMessage({text, type: response.headers.get("content-type")}, "*"); // the empty page has no origin to name
  } catch (error) {
    opened.close();
    throw error;
  }
}
