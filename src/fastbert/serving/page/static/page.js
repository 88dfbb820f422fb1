// The page to try a model: what is chosen and typed becomes a request, its answer is shown, and the request as code.

import {details, sentence} from "./answer.js";
import {ask, Problem, serverTime} from "./asking.js";
import * as code from "./code.js";
import * as file from "./file.js";
import {withKey} from "./paper.js";
import {$, alertOf, copy, count, fill, make, milliseconds} from "./parts.js";

// What a task does, and the scores that say most of how well.
const TASKS = {
  single_label: ["One label a text", "accuracy", "f1_macro"],
  multi_label: ["Any number of labels a text", "f1_micro", "f1_macro"],
  tagging: ["Entities in a text", "f1"],
  answering: ["Answers to questions from a text", "exact_match", "f1"],
  regression: ["A number a text", "r2", "mae"],
};
const FEW = 6; // labels that are named at the top
const BASE = new URL(".", location.href).href;

let models = [];
let model = null;
let keys = false;
let asking = null; // aborts the request that runs
let last = null; // whether there is an answer to show anew, and with an explanation

const takesThreshold = () => model.task === "single_label" || model.task === "multi_label";
const threshold = () => {
  const value = $("threshold").value;
  return value !== "" && takesThreshold() ? Number(value) : undefined;
};
const options = () => ({
  ...(model !== models[0] && {model: model.name}),
  ...(threshold() !== undefined && {threshold: threshold()}),
});
const pairs = () => model.reads === "pair";
const typed = () => (pairs() ? [$("text").value, $("pair").value] : $("text").value);
const body = (explain) => ({texts: [typed()], ...options(), ...(explain && {explain: true})});

async function start() {
  try {
    const [listed, described] = await Promise.all([ask("v1/models"), ask("openapi.json").catch(() => null)]);
    keys = Boolean(described && described.values.security);
    models = listed.values.details;
    if (!models.length) throw new Problem("No model is loaded.", {hint: "Start the server with a bundle: fastbert serve BUNDLE."});
  } catch (error) {
    fill($("about"), alertOf(error));
    return;
  }
  fill($("model"), ...models.map((one) => make("option", {value: one.name}, one.name)));
  $("choose").hidden = models.length < 2;
  use(models[0]);
  listen();
  $("work").hidden = false;
  $("text").focus({preventScroll: true});
}

function use(chosen) {
  model = chosen;
  document.title = `${model.name} – FastBert`;
  const [does, ...measures] = TASKS[model.task] || [model.task];
  const split = ["test", "valid"].find((one) => model.scores[one]);
  const scores = measures.filter((one) => split && typeof model.scores[split][one] === "number");
  fill($("name"), models.length < 2 && make("b", {}, model.name), " ", does);
  fill($("facts"), [
    ...scores.map((one) => [one.replace("_", " "), `${model.scores[split][one].toFixed(3)} on ${split}`]),
    model.labels.length && ["gives", model.labels.length > FEW ? count(model.labels.length, "label") : model.labels.join(", ")],
    ["reads", `${model.max_tokens.toLocaleString("en")} tokens`], ["runs on", model.backend], ["version", model.version],
  ].filter(Boolean).map(([name, value]) => make("li", {}, `${name} `, make("b", {}, value))));
  $("rule").hidden = !model.rule;
  $("rule").querySelector("p").textContent = model.rule;
  for (const name of ["report", "card"]) {
    $(name).hidden = !model[`has_${name}`];
    $(name).href = `v1/models/${encodeURIComponent(model.name)}/${name}`;
  }
  const answering = model.task === "answering";
  $("second").hidden = !pairs();
  $("text-label").textContent = answering ? "Question" : pairs() ? "First text" : "Text";
  $("pair-label").textContent = answering ? "Text that may hold the answer" : "Second text";
  $("text").rows = pairs() ? 3 : 7;
  $("text").placeholder = answering ? "Type a question" : "Type or paste a text";
  $("limit").hidden = !takesThreshold();
  setThreshold("");
  forget();
  file.forget(state);
}

const state = () => ({model, options: options()});

// An answer belongs to one model.
function forget(words = "Nothing asked yet.") {
  if (asking) asking.abort();
  last = null;
  say(words);
  fill($("shown"));
  fill($("trouble"));
}

function say(words) {
  $("said").className = "soft";
  fill($("said"), words);
}

function fail(problem) {
  forget("");
  fill($("trouble"), alertOf(problem));
  bringToView();
}

// On a phone it is below the form.
const bringToView = () => $("answer").scrollIntoView({block: "nearest", behavior: "smooth"});

function setThreshold(value) {
  if ($("threshold").value !== value) $("threshold").value = value;
  const own = [...new Set(Object.values(model.thresholds))];
  $("slider").value = value !== "" ? value : own.length === 1 && own[0] !== null ? own[0] : 0.5;
  $("slider").classList.toggle("unset", value === "");
  $("reset").disabled = value === "";
  const rule = !own.length ? "The highest score decides." : own.length > 1 ? "Each label has its own." : `The model's own is ${own[0] ?? "never"}.`;
  const effect = model.task === "single_label" ? "Below it the answer is unknown." : "From it on a label is given.";
  $("limit-note").textContent = value === "" ? rule : effect;
  snippets();
}

function thresholdsOf(override) {
  return override === undefined ? model.thresholds : Object.fromEntries(model.labels.map((label) => [label, override]));
}

async function predict(explain) {
  const {badInput, rangeUnderflow, rangeOverflow} = $("threshold").validity;
  if (badInput || rangeUnderflow || rangeOverflow) {
    fail(new Problem("A threshold is a number from 0 to 1.", {hint: "Leave it empty for the model's own rule."}));
    $("threshold").focus();
    return;
  }
  if (pairs() ? !$("text").value.trim() || !$("pair").value.trim() : !$("text").value.trim()) {
    const empty = $("text").value.trim() ? $("pair") : $("text");
    fail(new Problem("There is no text to answer.", {hint: "Type or paste one."}));
    empty.focus();
    return;
  }
  if (asking) asking.abort();
  const own = (asking = new AbortController());
  const sent = body(explain);
  const asked = {text: $("text").value, pair: pairs() ? $("pair").value : null, thresholds: thresholdsOf(sent.threshold)};
  snippets(explain);
  $("answer").setAttribute("aria-busy", "true");
  fill($("trouble"));
  try {
    const answer = await ask("v1/predict", sent, {signal: own.signal, onWait: (seconds) => {
      say(`The server is busy; asked again in ${Math.ceil(seconds)} s.`);
    }});
    show(answer, asked);
    bringToView();
    last = {explain};
  } catch (error) {
    if (asking === own && error.name !== "AbortError") fail(error instanceof Problem ? error : new Problem("The answer cannot be read.", {hint: String(error)}));
  } finally {
    if (asking === own) {
      asking = null;
      $("answer").removeAttribute("aria-busy");
    }
  }
}

function show({values, headers, ms}, asked) {
  const [prediction] = values.predictions;
  const server = serverTime(headers);
  $("said").className = "";
  fill($("said"), ...sentence(prediction));
  const facts = [["Time", milliseconds(ms)], server !== null && ["in the server", milliseconds(server)], ["Version", values.version]];
  fill($("shown"), ...details(prediction, asked),
    make("dl", {class: "facts"}, facts.filter(Boolean).map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, value)))));
}

const named = (text) => text || "your text";

function snippets(explain = Boolean(last && last.explain)) {
  const sent = body(explain);
  sent.texts = sent.texts.map((one) => (Array.isArray(one) ? one.map(named) : named(one)));
  $("curl").textContent = code.curl(BASE, sent, keys);
  $("python").textContent = code.python(BASE, sent, keys);
}

function listen() {
  $("form").addEventListener("submit", (event) => { event.preventDefault(); predict(false); });
  $("why").addEventListener("click", () => predict(true));
  $("form").addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); predict(event.shiftKey); }
  });
  for (const id of ["text", "pair"]) $(id).addEventListener("input", () => snippets());
  $("model").addEventListener("change", (event) => use(models.find((one) => one.name === event.target.value)));
  $("slider").addEventListener("input", (event) => setThreshold(Number(event.target.value).toFixed(2)));
  $("threshold").addEventListener("input", (event) => setThreshold(event.target.value));
  const again = () => { if (last) predict(last.explain); };
  $("slider").addEventListener("change", again);
  $("threshold").addEventListener("change", again);
  $("reset").addEventListener("click", () => { setThreshold(""); $("threshold").focus(); again(); });
  for (const button of document.querySelectorAll(".copy")) button.addEventListener("click", () => copy(button, $(button.dataset.of)));
  for (const name of ["report", "card"]) withKey($(name), fail);
  file.setUp(state);
}

start();
