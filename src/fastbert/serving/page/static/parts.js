// Elements, numbers and the clipboard. Text never becomes markup: children are nodes or text nodes.

export const $ = (id) => document.getElementById(id);

// make("td", {class: "number", onclick: f}, "text", node): names that begin with on listen.
export function make(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children.flat(Infinity).filter((child) => child || child === 0));
  return node;
}

export const fill = (node, ...children) => node.replaceChildren(...children.flat(Infinity).filter((child) => child || child === 0));

// A score for people; very small and very large ones do not become 0 and 1.
export function shown(score) {
  if (score > 0 && score < 0.001) return "<0.001";
  if (score < 1 && score > 0.999) return ">0.999";
  return score.toFixed(3);
}

export const count = (number, one, many) => `${number.toLocaleString("en")} ${number === 1 ? one : many || one + "s"}`;

export const milliseconds = (ms) => (ms < 10 ? ms.toFixed(1) : Math.round(ms).toLocaleString("en")) + " ms";

// Copies the text of an element; where the browser keeps the clipboard from a page without TLS, selects it instead.
export async function copy(button, source) {
  const before = [...button.childNodes];
  let done = "Copied";
  try {
    await navigator.clipboard.writeText(source.textContent);
  } catch {
    const range = document.createRange();
    range.selectNodeContents(source);
    getSelection().removeAllRanges();
    getSelection().addRange(range);
    done = document.execCommand("copy") ? "Copied" : "Selected";
  }
  if (button.dataset.busy) return;
  button.dataset.busy = "1";
  fill(button, done);
  setTimeout(() => {
    button.replaceChildren(...before);
    delete button.dataset.busy;
  }, 1500);
}

export function alertOf(problem) {
  const more = [problem.hint, problem.field && `Field ${problem.field}.`, problem.id && `Request ${problem.id}.`].filter(Boolean).join(" ");
  return make("div", {class: "alert"}, make("p", {}, make("b", {}, problem.message)), more && make("p", {class: "small"}, more));
}
