// The API key of this page's requests. It lives in a variable here and nowhere else: who closes the page takes it along.

import {fill, make} from "./parts.js";

let key = "";
let question = null; // the promise of a key while the reader is asked; several requests may wait for it

export const given = () => key !== "";
export const headers = () => (key ? {Authorization: `Bearer ${key}`} : {});

// For a request that was refused with these headers: whether there is another key to try it with.
export function renewed(refused) {
  if (refused.Authorization !== headers().Authorization) return Promise.resolve(true);
  question = question || asked(key !== "").finally(() => { question = null; });
  return question;
}

function asked(again) {
  return new Promise((resolve) => {
    const input = make("input", {id: "key", type: "password", autocomplete: "off", spellcheck: "false", "aria-describedby": "key-note key-trouble"});
    const trouble = make("p", {id: "key-trouble", role: "alert", class: "error"});
    const dialog = make("dialog", {"aria-labelledby": "key-title", onclose() {
      dialog.remove();
      resolve(dialog.returnValue === "given");
    }}, make("form", {novalidate: true, onsubmit(event) {
      event.preventDefault();
      const typed = input.value.trim();
      if (/^[\x21-\x7e]+$/.test(typed)) {
        key = typed;
        dialog.close("given");
      } else {
        fill(trouble, typed ? "A key has neither blanks nor letters with accents." : "Type or paste a key.");
        input.focus();
      }
    }}, make("h2", {id: "key-title"}, "This server wants an API key"), make("label", {for: "key"}, "API key"), input, trouble,
      make("p", {id: "key-note", class: "soft small"}, "It is kept in this page alone, until you close or reload it."),
      make("p", {class: "buttons"}, make("button", {type: "submit"}, "Continue"),
        make("button", {type: "button", class: "second", onclick: () => dialog.close("")}, "Cancel"))));
    document.body.append(dialog);
    if (again) fill(trouble, "The server does not know this key.");
    dialog.showModal();
  });
}
