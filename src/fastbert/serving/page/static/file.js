// A whole file: read in the browser, sent in batches, shown as a table, and given back with the answers.

import {ask, Problem} from "./asking.js";
import {plain} from "./answer.js";
import {$, alertOf, count, fill, make, shown} from "./parts.js";
import * as table from "./table.js";

const BATCH = 64; // texts of a request
const CHARACTERS = 200000; // of a request, unless one text has more
const PREVIEW = 50;
const LARGEST = 100e6; // bytes

let file = null; // {name, rows, header, facts, asking}
let running = null;

// state(): {model: facts, options: {model, threshold}}
export function setUp(state) {
  $("file").addEventListener("change", (event) => open(event.target.files[0], state));
  const drop = $("drop");
  for (const name of ["dragenter", "dragover"]) drop.addEventListener(name, (event) => { event.preventDefault(); drop.classList.add("over"); });
  for (const name of ["dragleave", "drop"]) drop.addEventListener(name, () => drop.classList.remove("over"));
  drop.addEventListener("drop", (event) => { event.preventDefault(); open(event.dataTransfer.files[0], state); });
  // A file that misses the field must not replace the page.
  for (const name of ["dragover", "drop"]) addEventListener(name, (event) => event.preventDefault());
}

// The other model may read other columns.
export const forget = (state) => { if (file) choose(state); };

async function open(chosen, state) {
  if (!chosen) return;
  if (running) running.abort();
  const place = $("table");
  try {
    if (chosen.size > LARGEST) throw new Problem(`${chosen.name} is too large for this page.`, {hint: "Use `fastbert predict` for files of this size."});
    const text = table.decode(await chosen.arrayBuffer());
    if (text.slice(0, 2000).includes("\0")) throw new Problem(`${chosen.name} is not a text file.`, {hint: "Save a spreadsheet as CSV first."});
    const lines = /\.txt$/i.test(chosen.name);
    const delimiter = lines ? "\n" : table.guessDelimiter(text, chosen.name);
    const rows = lines ? text.split(/\r\n|\n|\r/).filter((line) => line.trim()).map((line) => [line]) : table.parse(text, delimiter);
    if (!rows.length) throw new Problem(`${chosen.name} is empty.`, {hint: "Choose a file with a text on each line, or a table."});
    const width = rows.reduce((most, row) => Math.max(most, row.length), 1);
    file = {name: chosen.name, rows, width, header: !lines && table.guessHeader(rows)};
    choose(state);
  } catch (error) {
    file = null;
    fill(place, alertOf(error instanceof Problem ? error : new Problem(`${chosen.name} cannot be read.`, {hint: String(error.message || error)})));
  }
}

function choose(state) {
  const {model} = state();
  const names = Array.from({length: file.width}, (_, column) => (file.header && file.rows[0][column]) || `column ${column + 1}`);
  const rows = file.header ? file.rows.slice(1) : file.rows;
  const guessed = table.guessColumns(names, rows);
  const pair = model.reads === "pair";
  if (pair) guessed.splice(0, 2, ...guessed.slice(0, 2).sort((a, b) => a - b));
  const column = (id, label, chosen) => make("span", {}, make("label", {for: id}, label), " ",
    make("select", {id}, names.map((name, number) => make("option", {value: number, selected: number === chosen}, name))));
  const header = make("input", {type: "checkbox", checked: file.header, onchange(event) {
    file.header = event.target.checked;
    choose(state);
    $("table").querySelector("input").focus();
  }});
  const start = make("button", {type: "button", onclick: () => run(state, names, rows)}, `Predict ${count(rows.length, "row")}`);
  fill($("table"),
    make("div", {class: "options"}, make("label", {}, header, " The first row has the names"),
      column("column", pair ? (model.task === "answering" ? "Questions" : "First texts") : "Texts", guessed[0]),
      pair && column("column-2", model.task === "answering" ? "Contexts" : "Second texts", guessed[1] ?? guessed[0]), start),
    make("div", {id: "progress", role: "status"}), make("div", {id: "rows"}));
}

async function run(state, names, rows) {
  const {model, options} = state();
  const columns = ["column", "column-2"].map($).filter(Boolean).map((select) => Number(select.value));
  const texts = rows.map((row) => (columns.length === 2 ? columns.map((one) => row[one] || "") : row[columns[0]] || ""));
  if (running) running.abort();
  const own = (running = new AbortController());
  const meter = make("progress", {max: texts.length, value: 0, "aria-label": "Rows answered"});
  const words = make("p", {class: "small soft"});
  const stop = make("button", {type: "button", class: "second", onclick: () => own.abort()}, "Cancel");
  fill($("progress"), meter, words, stop);
  fill($("rows"));
  const start = performance.now();
  const predictions = [];
  const say = (more) => { words.textContent = `${predictions.length.toLocaleString("en")} of ${count(texts.length, "row")}${more || ""}`; };
  let problem = null;
  try {
    while (predictions.length < texts.length) {
      say();
      const batch = next(texts, predictions.length);
      const answer = await ask("v1/predict", {texts: batch, ...options}, {
        signal: own.signal,
        onWait: (seconds) => say(`; the server is busy, asked again in ${Math.ceil(seconds)} s`),
      });
      predictions.push(...answer.values.predictions);
      meter.value = predictions.length;
    }
  } catch (error) {
    if (running !== own) return;
    problem = error.name === "AbortError" ? "cancelled" : located(error, predictions.length);
  }
  if (running === own) running = null;
  const seconds = (performance.now() - start) / 1000;
  const rate = predictions.length ? ` in ${seconds.toFixed(1)} s (${count(Math.round(predictions.length / seconds), "row")} a second)` : "";
  const cut = predictions.filter((one) => one.cut).length;
  fill($("progress"), problem && problem !== "cancelled" && alertOf(problem),
    make("p", {}, `${problem === "cancelled" ? "Cancelled. " : ""}${predictions.length.toLocaleString("en")} of ${count(texts.length, "row")} answered${rate}.`,
      cut ? ` ${count(cut, "text was", "texts were")} longer than what the model takes; a part was not read.` : ""));
  if (predictions.length) results({model, names, rows, columns, predictions});
}

function next(texts, from) {
  const batch = [];
  let size = 0;
  while (from + batch.length < texts.length && batch.length < BATCH) {
    const text = texts[from + batch.length];
    size += Array.isArray(text) ? text[0].length + text[1].length : text.length;
    if (batch.length && size > CHARACTERS) break;
    batch.push(text);
  }
  return batch;
}

// "texts[3]" of a batch is a row of the file, counted from 1 as the table does.
function located(error, done) {
  const found = /^texts\[(\d+)\]/.exec(error.field || "");
  if (!(error instanceof Problem)) return new Problem("The answer cannot be read.", {hint: String(error.message || error)});
  const where = found ? `Row ${done + Number(found[1]) + 1}: ` : `From row ${done + 1} on: `;
  return new Problem(where + error.message, error);
}

function results({model, names, rows, columns, predictions}) {
  const added = columnsOf(model, predictions);
  const head = ["#", ...columns.map((one) => names[one]), "Answer", "Score"];
  const body = predictions.slice(0, PREVIEW).map((prediction, number) => {
    const [answer, score] = brief(prediction);
    return make("tr", {}, make("th", {scope: "row", class: "soft place"}, String(number + 1)),
      columns.map((one) => make("td", {}, make("span", {class: "clip"}, rows[number][one] || ""))),
      make("td", {}, answer), make("td", {class: "number"}, score));
  });
  const note = predictions.length > PREVIEW ? `The first ${PREVIEW} of ${count(predictions.length, "row")}; the download has all.` : count(predictions.length, "row");
  fill($("rows"), tally(predictions),
    make("p", {class: "options"}, make("button", {type: "button", id: "download", onclick: () => download(names, rows, added, predictions)}, "Download as CSV"),
      make("span", {class: "soft small"}, `with the columns ${told(added.names)}`)),
    make("div", {class: "scroll", tabindex: "0", role: "group", "aria-label": "Answers to the first rows"}, make("table", {class: "rows"}, make("caption", {}, note),
      make("thead", {}, make("tr", {}, head.map((name) => make("th", {scope: "col", class: name === "Score" ? "number" : null}, name)))), make("tbody", {}, body))));
}

function told(names) {
  const scores = names.filter((name) => name.startsWith("score:"));
  const others = names.filter((name) => !scores.includes(name)).join(", ");
  return scores.length ? `${others} and ${count(scores.length, "score")}` : others;
}

function brief(prediction) {
  if (prediction.labels) {
    if (!prediction.labels.length) return [prediction.unknown ? "unknown" : "(no label)", ""];
    return [prediction.labels.join(", "), prediction.labels.map((label) => shown(prediction.scores[label] ?? 0)).join(", ")];
  }
  if (prediction.entities) return [prediction.entities.map((one) => `${one.text} (${one.label})`).join(", ") || "(none)", ""];
  if ("no_answer" in prediction) return [prediction.no_answer ? "(no answer)" : prediction.answer, shown(prediction.score)];
  return ["value" in prediction ? plain(prediction.value) : JSON.stringify(prediction), ""];
}

// How often each label was given; one number says more of 1,000 rows than their first 50.
function tally(predictions) {
  if (!predictions[0].labels) return null;
  const counts = new Map();
  for (const one of predictions) {
    for (const label of one.labels.length ? one.labels : [one.unknown ? "unknown" : "(no label)"]) counts.set(label, (counts.get(label) || 0) + 1);
  }
  const ranked = [...counts].sort((a, b) => b[1] - a[1]).slice(0, 15);
  const rows = ranked.map(([label, number]) => {
    const bar = make("i");
    bar.style.width = `${(100 * number) / predictions.length}%`;
    return make("tr", {class: "count"}, make("th", {scope: "row"}, label), make("td", {class: "bar"}, make("span", {class: "track", "aria-hidden": "true"}, bar)),
      make("td", {class: "number"}, `${number.toLocaleString("en")} (${((100 * number) / predictions.length).toFixed(1)}%)`));
  });
  return make("table", {class: "scores summary"}, make("caption", {}, "How often each label was given"),
    make("thead", {class: "hidden"}, make("tr", {}, ["Label", "Bar", "Rows"].map((name) => make("th", {scope: "col"}, name)))), make("tbody", {}, rows));
}

// The columns that `fastbert predict` adds, too.
function columnsOf(model, predictions) {
  const score = (value) => (value === undefined || value === null ? "" : value.toFixed(6));
  if (predictions[0].labels) {
    const reasons = predictions.some((one) => one.reason);
    return {
      names: ["predicted", ...(reasons ? ["reason"] : []), ...model.labels.map((label) => `score:${label}`)],
      cells: (one) => [one.unknown ? "unknown" : one.labels.join("|"), ...(reasons ? [one.reason || ""] : []), ...model.labels.map((label) => score(one.scores[label]))],
    };
  }
  if (predictions[0].entities) return {names: ["entities"], cells: (one) => [JSON.stringify(one.entities)]};
  if ("no_answer" in predictions[0]) {
    return {names: ["answer", "start", "end", "score"], cells: (one) => [one.answer, one.no_answer ? "" : one.start, one.no_answer ? "" : one.end, score(one.score)]};
  }
  return {names: ["predicted"], cells: (one) => ["value" in one ? one.value ?? "" : JSON.stringify(one)]};
}

function download(names, rows, added, predictions) {
  const known = new Set(names);
  const fresh = added.names.map((name) => (known.has(name) ? `${name} (new)` : name));
  const body = predictions.map((one, number) => [...names.map((_, column) => rows[number][column] ?? ""), ...added.cells(one)]);
  const address = URL.createObjectURL(new Blob([table.write([[...names, ...fresh], ...body])], {type: "text/csv"}));
  make("a", {href: address, download: `${file.name.replace(/\.\w+$/, "")}-predicted.csv`}).click();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
}
