// The API for readers, made of /openapi.json: operations by contract, what they take and answer, and a way to try them.

import {ask, send} from "./asking.js";
import {withKey} from "./paper.js";
import {$, alertOf, copy, fill, make, milliseconds} from "./parts.js";

const BASE = new URL(".", location.href).href;
const SHOWN = 20000; // characters of an answer
let api = null;

async function start() {
  withKey($("source"), (error) => fill($("trouble"), alertOf(error)));
  try {
    api = (await ask("openapi.json")).values;
  } catch (error) {
    fill($("intro"));
    fill($("trouble"), alertOf(error));
    return;
  }
  const keys = api.security ? " An API key is asked for: Authorization: Bearer KEY, or X-API-Key: KEY." : "";
  $("intro").textContent = `${api.info.description} Version ${api.info.version}.${keys}`;
  const groups = new Map();
  for (const [path, methods] of Object.entries(api.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const tag = (operation.tags || ["Other"])[0];
      if (!groups.has(tag)) groups.set(tag, []);
      groups.get(tag).push(show(path, method, operation));
    }
  }
  const id = (tag) => `tag-${tag.replace(/\W+/g, "-")}`;
  if (groups.size > 1) fill($("tags"), ...[...groups.keys()].map((tag) => make("a", {href: `#${id(tag)}`}, tag)));
  fill($("operations"), ...[...groups].map(([tag, shown]) => make("section", {id: id(tag)}, make("h2", {}, tag), shown)));
  unfold();
  addEventListener("hashchange", unfold);
}

function unfold() {
  const chosen = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (chosen && chosen.tagName === "DETAILS") { chosen.open = true; chosen.scrollIntoView(); }
}

function show(path, method, operation) {
  const inside = make("div");
  const node = make("details", {class: "operation", id: operation.operationId},
    make("summary", {}, make("span", {class: `method ${method}`}, method.toUpperCase()), make("code", {}, path), make("span", {class: "soft"}, operation.summary)), inside);
  // made when it is opened: schemas may be large
  node.addEventListener("toggle", () => { if (node.open && !inside.hasChildNodes()) inside.append(...contents(path, method, operation)); });
  return node;
}

function contents(path, method, operation) {
  const parts = [];
  if (operation.parameters) {
    parts.push(make("h3", {}, "Parameters"), make("ul", {class: "schema"}, operation.parameters.map((one) =>
      make("li", {}, make("code", {}, one.name), ` ${kind(one.schema)}, in the ${one.in}${one.required ? ", required" : ""}. `, make("span", {class: "soft"}, one.description || "")))));
  }
  for (const [type, content] of Object.entries(operation.requestBody ? operation.requestBody.content : {})) {
    parts.push(make("h3", {}, "Body ", make("code", {}, type)), schema(content.schema, 0) || make("p", {class: "soft"}, "Any text."));
  }
  parts.push(make("h3", {}, "Answers"), ...Object.entries(operation.responses).map(answer), ...trying(path, method, operation));
  return parts;
}

function answer([status, response]) {
  const [type, content] = Object.entries(response.content || {})[0] || ["", {}];
  const title = [make("code", {}, status), " ", make("span", {class: "soft"}, `${response.description} ${type}`)];
  const inner = content.schema && schema(content.schema, 0);
  return inner ? make("details", {open: status === "200"}, make("summary", {}, title), inner) : make("p", {}, title);
}

function resolved(value) {
  const seen = new Set();
  while (value && value.$ref && !seen.has(value.$ref)) {
    seen.add(value.$ref);
    value = value.$ref.slice(2).split("/").reduce((found, part) => found[part.replaceAll("~1", "/").replaceAll("~0", "~")], api);
  }
  return value || {};
}

const choices = (value) => (value.anyOf || value.oneOf || []).map(resolved);

// The type of a value in a few words: "list of text or [text, text]".
function kind(given, depth = 0) {
  const value = resolved(given);
  if (value.const !== undefined) return JSON.stringify(value.const);
  if (value.enum) return value.enum.slice(0, 8).map((one) => JSON.stringify(one)).join(" or ") + (value.enum.length > 8 ? " or …" : "");
  const some = value.properties ? [] : choices(value).filter((one) => one.type !== "null");
  if (some.length) return [...new Set(some.map((one) => kind(one, depth + 1)))].join(" or ");
  if (value.type === "array") {
    const item = value.items && depth < 4 ? kind(value.items, depth + 1) : "anything";
    return value.minItems === 2 && value.maxItems === 2 ? `pair of ${item}` : `list of ${item}${value.maxItems ? `, at most ${value.maxItems}` : ""}`;
  }
  if (value.type === "object" || value.properties) {
    const inner = value.additionalProperties;
    return inner && typeof inner === "object" && depth < 4 && Object.keys(inner).length ? `object of ${kind(inner, depth + 1)}` : "object";
  }
  const bounds = [["minimum", "from"], ["maximum", "to"]].filter(([name]) => value[name] !== undefined).map(([name, word]) => ` ${word} ${value[name]}`).join("");
  return ({string: "text", number: "number", integer: "whole number", boolean: "true or false", null: "null"}[value.type] || "anything") + bounds;
}

// The object behind a value: itself, what its list holds, or one of its choices.
function objectOf(given, depth = 0) {
  const value = resolved(given);
  if (value.properties) return value;
  if (depth > 5) return null;
  const inner = [...choices(value), value.items, typeof value.additionalProperties === "object" ? value.additionalProperties : null].filter(Boolean);
  return inner.map((one) => objectOf(one, depth + 1)).find(Boolean) || null;
}

function schema(given, depth) {
  const value = resolved(given);
  const object = objectOf(value);
  if (!object) return depth || !Object.keys(value).length ? null : make("p", {class: "soft"}, kind(value));
  const required = new Set(object.required || []);
  const fields = Object.entries(object.properties).map(([name, one]) => make("li", {},
    make("code", {}, name), ` ${kind(one)}${required.has(name) ? ", required" : ""}`,
    one.default !== undefined && one.default !== null ? make("span", {class: "soft"}, `, ${JSON.stringify(one.default)} if not given`) : null,
    one.description ? make("span", {class: "soft"}, ` ${one.description}`) : null, depth < 4 ? schema(one, depth + 1) : null));
  return make("div", {}, object.description ? make("p", {class: "soft said small"}, object.description) : null, make("ul", {class: "schema"}, fields));
}

// A value that a schema allows, to begin with.
function example(given, depth = 0) {
  const value = resolved(given);
  if (value.example !== undefined) return value.example;
  if (value.examples) return value.examples[0];
  if (value.const !== undefined) return value.const;
  if (value.enum) return value.enum[0];
  if (value.properties) {
    const names = new Set([...(value.required || []), ...((value.oneOf || value.anyOf || [])[0]?.required || [])]);
    return Object.fromEntries([...names].map((name) => [name, example(value.properties[name] || {}, depth + 1)]));
  }
  const some = choices(value).find((one) => one.type !== "null");
  if (some) return example(some, depth + 1);
  if (value.type === "array") return depth > 6 ? [] : Array.from({length: Math.max(1, value.minItems || 1)}, () => example(value.items || {}, depth + 1));
  return {string: "an example", number: value.minimum ?? 0.5, integer: value.minimum ?? 1, boolean: false, object: {}}[value.type] ?? null;
}

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

function trying(path, method, operation) {
  const id = operation.operationId;
  const contents = Object.entries(operation.requestBody ? operation.requestBody.content : {});
  const first = (type, content) => (content.example ?? (type === "application/json" ? JSON.stringify(example(content.schema), null, 2) : ""));
  const inputs = (operation.parameters || []).map((one) => [one, make("input", {type: "text", id: `${id}-${one.name}`, autocomplete: "off"})]);
  const area = contents.length ? make("textarea", {class: "code", id: `${id}-body`, rows: 6, spellcheck: "false"}) : null;
  const types = contents.length > 1 ? make("select", {id: `${id}-type`}, contents.map(([type]) => make("option", {}, type))) : null;
  const type = () => (types ? types.value : contents.length ? contents[0][0] : "");
  const code = make("pre", {tabindex: "0"});
  const status = make("p", {role: "status", class: "small soft"});
  const output = make("pre", {tabindex: "0", hidden: true});
  const address = () => {
    const query = new URLSearchParams(inputs.filter(([one, input]) => one.in === "query" && input.value).map(([one, input]) => [one.name, input.value])).toString();
    const filled = path.replace(/\{(\w+)\}/g, (whole, name) => {
      const found = inputs.find(([one]) => one.name === name);
      return found && found[1].value ? encodeURIComponent(found[1].value) : whole;
    });
    return filled.slice(1) + (query ? `?${query}` : "");
  };
  const refresh = () => {
    const parts = [`curl ${method === "get" ? "" : `-X ${method.toUpperCase()} `}${quoted(BASE + address())}`];
    if (api.security && !(operation.security && !operation.security.length)) parts.push(`-H "Authorization: Bearer $FASTBERT_API_KEY"`);
    if (area) parts.push(`-H 'Content-Type: ${type()}'`, `--data-raw ${quoted(compact(area.value))}`);
    code.textContent = parts.join(" \\\n  ");
  };
  if (area) area.value = first(...contents[0]);
  if (types) types.addEventListener("change", () => { area.value = first(...contents.find(([one]) => one === types.value)); refresh(); });
  for (const node of [area, ...inputs.map(([, input]) => input)].filter(Boolean)) node.addEventListener("input", refresh);
  const go = () => trySend({address: address(), method, type: type(), area, status, output});
  if (area) area.addEventListener("keydown", (event) => { if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) go(); });
  refresh();
  const button = make("button", {type: "button", class: "quiet", onclick: () => copy(button, code)}, "Copy");
  return [make("h3", {}, "Try it"),
    inputs.map(([one, input]) => make("p", {}, make("label", {for: input.id}, one.name), " ", input)),
    types && make("p", {}, make("label", {for: types.id}, "Content type"), " ", types),
    area && make("label", {for: area.id}, "Body"), area,
    make("p", {class: "buttons"}, make("button", {type: "button", onclick: go}, "Send")), status, output,
    make("figure", {}, make("figcaption", {}, "curl", button), code)].flat().filter(Boolean);
}

function compact(text) {
  try {
    return JSON.stringify(JSON.parse(text));
  } catch {
    return text;
  }
}

async function trySend({address, method, type, area, status, output}) {
  if (area && type === "application/json") {
    try {
      JSON.parse(area.value);
    } catch (error) {
      status.textContent = `The body is not JSON: ${error.message}`;
      return;
    }
  }
  status.textContent = "Asked …";
  const start = performance.now();
  try {
    const response = await send(address, {method: method.toUpperCase(), ...(area && {type, body: area.value})});
    const text = await response.text();
    status.textContent = `${response.status} ${response.statusText} in ${milliseconds(performance.now() - start)}`;
    output.textContent = pretty(text).slice(0, SHOWN) + (text.length > SHOWN ? "\n…" : "");
    output.hidden = !text;
  } catch (error) {
    status.textContent = error.message;
  }
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

start();
