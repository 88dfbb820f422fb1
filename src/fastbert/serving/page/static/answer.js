// One answer as people read it: labels with bars, entities, the answer in its context, a number; and why.
// The server counts characters, JavaScript half of some of them: places are taken in arrays of characters.

import {make, shown, count} from "./parts.js";

const FIRST = 12; // labels that are shown at once

// The answer in a sentence, for all to see and for screen readers.
export function sentence(prediction) {
  if (prediction.unknown) return ["Unknown: ", make("b", {}, prediction.reason || "no label is sure enough")];
  if (prediction.labels) {
    if (!prediction.labels.length) return [make("b", {}, "No label")];
    const named = prediction.labels.map((label) => `${label} ${shown(prediction.scores[label] ?? 0)}`);
    return [make("b", {}, prediction.labels.join(", ")), " ", make("span", {class: "soft"}, named.length === 1 ? named[0].slice(prediction.labels[0].length) : "")];
  }
  if (prediction.entities) return [make("b", {}, prediction.entities.length ? count(prediction.entities.length, "entity", "entities") : "No entity")];
  if ("no_answer" in prediction) {
    if (prediction.no_answer) return [make("b", {}, "No answer"), " in this text"];
    return [make("b", {}, prediction.answer), " ", make("span", {class: "soft"}, shown(prediction.score))];
  }
  if ("value" in prediction) return [make("b", {}, plain(prediction.value))];
  return ["Answered."];
}

export const plain = (value) => (value === null ? "not a number" : String(Number(value.toPrecision(6))));

// asked: {text, pair, thresholds}; thresholds: by label, null for never.
export function details(prediction, asked) {
  const parts = [];
  if (prediction.labels && prediction.reason && !prediction.unknown) parts.push(note(prediction.reason));
  if (prediction.cut) parts.push(note("A part of the text was not read: it is longer than what the model takes."));
  if (prediction.scores) parts.push(scores(prediction, asked.thresholds));
  else if (prediction.entities) parts.push(entities(prediction, asked.text));
  else if ("no_answer" in prediction) parts.push(answered(prediction, asked.pair || ""));
  else if (!("value" in prediction)) parts.push(make("pre", {tabindex: "0"}, JSON.stringify(prediction, null, 2)));
  if (prediction.windows) parts.push(make("p", {class: "soft small"}, `The text was read in ${prediction.windows.length} parts.`));
  if (prediction.explanation) parts.push(explanation(prediction.explanation, asked));
  return parts;
}

const note = (text) => make("div", {class: "note"}, make("p", {}, text));

function scores(prediction, thresholds) {
  const ranked = Object.entries(prediction.scores).sort((a, b) => b[1] - a[1]);
  const given = new Set(prediction.labels);
  const rows = ranked.map(([label, score], place) => row(label, score, given.has(label), thresholds[label], place >= FIRST && !given.has(label)));
  const table = make("table", {class: "scores"},
    make("caption", {class: "hidden"}, "Score of each label"),
    make("thead", {class: "hidden"}, make("tr", {}, ...["Label", "Bar", "Score"].map((name) => make("th", {scope: "col"}, name)))),
    make("tbody", {}, rows));
  const away = rows.filter((one) => one.hidden);
  const more = away.length ? make("button", {type: "button", class: "quiet", onclick() {
    away.forEach((one) => { one.hidden = false; });
    away[0].tabIndex = -1;
    away[0].focus();
    more.remove();
  }}, `Show ${away.length} more`) : null;
  const ticks = Object.keys(thresholds).length ? make("p", {class: "soft small"}, make("span", {class: "key"}), "Threshold: from here on a label is given.") : null;
  return make("div", {}, table, more, ticks);
}

function row(label, score, given, threshold, hidden) {
  const fill = make("i");
  fill.style.width = `${100 * Math.min(1, Math.max(0, score))}%`;
  const track = make("span", {class: "track", "aria-hidden": "true"}, fill);
  let said = "";
  if (threshold !== undefined) said = threshold === null ? "never given" : `given from ${threshold.toFixed(2)} on`;
  if (typeof threshold === "number") {
    const tick = make("u");
    tick.style.left = `${100 * threshold}%`;
    track.append(tick);
  }
  return make("tr", {class: given ? "given" : null, hidden, title: said || null},
    make("th", {scope: "row"}, label, given && make("span", {class: "hidden"}, " (given)")),
    make("td", {class: "bar"}, track, said && make("span", {class: "hidden"}, said)),
    make("td", {class: "number"}, shown(score)));
}

// Text with some ranges wrapped; pieces: [start, end, wrap(text) -> node], in characters, none over another.
function marked(text, pieces) {
  const characters = Array.from(text);
  const out = [];
  let place = 0;
  for (const [start, end, wrap] of [...pieces].sort((a, b) => a[0] - b[0])) {
    if (start < place) continue;
    out.push(characters.slice(place, start).join(""), wrap(characters.slice(start, end).join("")));
    place = end;
  }
  out.push(characters.slice(place).join(""));
  return make("div", {class: "running", tabindex: "0", role: "group"}, out);
}

function entities(prediction, text) {
  const inline = marked(text, prediction.entities.map((one) => [one.start, one.end, (piece) =>
    make("span", {class: "entity", title: `${one.label} ${shown(one.score)}`}, piece, make("small", {}, one.label))]));
  inline.setAttribute("aria-label", "The text with its entities");
  if (!prediction.entities.length) return inline;
  const rows = prediction.entities.map((one) => make("tr", {}, make("th", {scope: "row"}, one.text), make("td", {}, one.label),
    make("td", {class: "number"}, shown(one.score))));
  return make("div", {}, inline, make("table", {}, make("thead", {}, make("tr", {}, make("th", {scope: "col"}, "Entity"),
    make("th", {scope: "col"}, "Type"), make("th", {scope: "col", class: "number"}, "Score"))), make("tbody", {}, rows)));
}

function answered(prediction, context) {
  const pieces = prediction.no_answer ? [] : [[prediction.start, prediction.end, (piece) => make("mark", {class: "found"}, piece)]];
  const inline = marked(context, pieces);
  inline.setAttribute("aria-label", "The context with the answer");
  const others = prediction.alternatives.filter((one) => one.start !== prediction.start || one.end !== prediction.end || prediction.no_answer);
  if (!others.length) return inline;
  const rows = others.map((one) => make("tr", {}, make("th", {scope: "row"}, one.text), make("td", {class: "number"}, shown(one.score))));
  return make("div", {}, inline, make("details", {}, make("summary", {}, count(others.length, "other place", "other places")),
    make("table", {}, make("thead", {}, make("tr", {}, make("th", {scope: "col"}, "Text"), make("th", {scope: "col", class: "number"}, "Score"))),
      make("tbody", {}, rows))));
}

const METHODS = {gradients: "integrated gradients", occlusion: "hiding one word after another"};
const EFFECTS = {value: ["raises it", "lowers it"]};
const UNITS = {"log-odds": "log-odds", value: "the unit of the answer", logits: "logits"};

function explanation(values, asked) {
  const title = make("h3", {}, "Why?");
  const found = values.attributions;
  if (!found.length) return make("div", {}, title, make("p", {class: "soft"}, "There is no answer to explain."));
  const body = make("div");
  const show = (number) => body.replaceChildren(...why(values, found[number], asked));
  const names = found.map((one) => one.name || "the number");
  const choose = make("select", {id: "explained", onchange: (event) => show(Number(event.target.value))},
    ...names.map((name, number) => make("option", {value: number}, name)));
  const what = found.length > 1 ? make("p", {}, make("label", {for: "explained"}, "Words for and against "), choose)
    : make("p", {class: "soft"}, `Words for and against “${names[0]}”`);
  show(0);
  return make("div", {id: "explanation"}, title, what, body);
}

function why(values, one, asked) {
  const largest = Math.max(...one.values.map((value) => Math.abs(value ?? 0)), 1e-12);
  const texts = asked.pair === null ? {text: asked.text} : {text: asked.text, pair: asked.pair};
  const sources = new Set(values.words.map((word) => word.source));
  const parts = Object.entries(texts).filter(([source]) => sources.has(source)).map(([source, text]) => {
    const pieces = values.words.map((word, number) => [word, one.values[number]]).filter(([word]) => word.source === source)
      .map(([word, value]) => [word.start, word.end, (piece) => worth(piece, value, largest)]);
    const inline = marked(text, pieces);
    inline.setAttribute("aria-label", source === "text" ? "The words of the text with what they are worth" : "The words of the second text with what they are worth");
    return inline;
  });
  const [more, less] = EFFECTS[one.unit] || ["speaks for it", "speaks against it"];
  const legend = make("p", {class: "legend"},
    make("span", {}, make("span", {class: "for"}, "word", make("sup", {}, "+")), more),
    make("span", {}, make("span", {class: "against"}, "word", make("sup", {}, "−")), less),
    make("span", {}, `in ${UNITS[one.unit] || one.unit}, found by ${METHODS[one.method] || one.method}`));
  return [...parts, legend, ranking(values.words, one)];
}

function worth(piece, value, largest) {
  if (value === null) return make("span", {class: "unread", title: "not read"}, piece);
  const share = Math.abs(value) / largest;
  const strong = share >= 0.1;
  const number = `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(2)}`;
  const node = make("span", {class: `${value < 0 ? "against" : "for"}${strong ? "" : " faint"}`, title: number}, piece, strong && make("sup", {}, number));
  node.style.setProperty("--size", share.toFixed(3));
  return node;
}

function ranking(words, one) {
  const ranked = one.values.map((value, number) => [words[number].text, value]).filter(([, value]) => value !== null)
    .sort((a, b) => Math.abs(b[1]) - Math.abs(a[1])).slice(0, 20);
  return make("details", {}, make("summary", {}, "As a table"), make("table", {},
    make("thead", {}, make("tr", {}, make("th", {scope: "col"}, "Word"), make("th", {scope: "col", class: "number"}, "Worth"))),
    make("tbody", {}, ranked.map(([text, value]) => make("tr", {}, make("th", {scope: "row"}, text),
      make("td", {class: "number"}, `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(3)}`))))));
}
