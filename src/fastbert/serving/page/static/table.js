// Tables as text: read from the bytes of a file, guessed at, and written. Knows nothing of the page.

// UTF-8, UTF-16 with its mark, else what Excel writes in western Europe.
export function decode(buffer) {
  const bytes = new Uint8Array(buffer);
  const mark = bytes[0] === 0xff && bytes[1] === 0xfe ? "utf-16le" : bytes[0] === 0xfe && bytes[1] === 0xff ? "utf-16be" : "";
  if (mark) return new TextDecoder(mark).decode(bytes);
  try {
    return new TextDecoder("utf-8", {fatal: true}).decode(bytes);
  } catch {
    return new TextDecoder("windows-1252").decode(bytes);
  }
}

// Rows of cells. A quote opens a cell only at its beginning; inside, two stand for one. Blank lines are left out.
export function parse(text, delimiter) {
  const rows = [];
  let row = [];
  let place = 0;
  while (place < text.length) {
    let cell = "";
    if (text[place] === '"') {
      place++;
      for (;;) {
        const end = text.indexOf('"', place);
        if (end < 0) {
          cell += text.slice(place);
          place = text.length;
          break;
        }
        cell += text.slice(place, end);
        place = end + 1;
        if (text[place] !== '"') break;
        cell += '"';
        place++;
      }
    }
    let end = place;
    while (end < text.length && text[end] !== delimiter && text[end] !== "\n" && text[end] !== "\r") end++;
    row.push(cell + text.slice(place, end));
    place = end + 1;
    if (text[end] === delimiter) {
      if (place >= text.length) row.push("");
      else continue;
    }
    if (text[end] === "\r" && text[place] === "\n") place++;
    if (row.length > 1 || row[0] !== "") rows.push(row);
    row = [];
  }
  return rows;
}

// The delimiter that cuts the first rows into the same number of cells, the more the better.
export function guessDelimiter(text, name) {
  if (/\.(tsv|tab)$/i.test(name)) return "\t";
  const head = text.slice(0, 20000);
  let best = [",", 0];
  for (const delimiter of [",", "\t", ";", "|"]) {
    const widths = parse(head, delimiter).slice(0, 20).map((row) => row.length);
    if (widths.length > 2) widths.pop(); // it may be cut
    const same = widths.filter((width) => width === widths[0]).length / widths.length;
    const score = widths[0] > 1 ? same * same * Math.min(widths[0], 6) : 0;
    if (score > best[1]) best = [delimiter, score];
  }
  return best[0];
}

const NAMES = /^(texts?|sentences?\d?|questions?|queries|query|reviews?|comments?|content|body|messages?|tweets?|utterances?|documents?|abstract|description|context|premise|hypothesis)$/i;
const numeric = (cell) => cell.trim() !== "" && !Number.isNaN(Number(cell));

// Whether the first row names the columns: short, distinct, no numbers, and shorter than what is below or known names.
export function guessHeader(rows) {
  const [first, ...rest] = rows.slice(0, 30);
  if (!first || new Set(first).size < first.length || first.some((cell) => !cell.trim() || cell.length > 60 || numeric(cell))) return false;
  if (first.some((cell) => NAMES.test(cell.trim()))) return true;
  if (!rest.length) return false;
  const width = (row) => row.join("").length;
  const mean = rest.reduce((sum, row) => sum + width(row), 0) / rest.length;
  return rest.some((row) => row.some(numeric)) || (width(first) < mean / 2 && first.every((cell) => cell.trim().split(/\s+/).length <= 3));
}

// The columns that hold texts, the likeliest first: by name, then by length.
export function guessColumns(names, rows) {
  const some = rows.slice(0, 200);
  const scored = names.map((name, column) => {
    const cells = some.map((row) => row[column] || "");
    const mean = cells.reduce((sum, cell) => sum + (numeric(cell) ? 0 : cell.length), 0) / Math.max(1, cells.length);
    return [column, (NAMES.test(name.trim()) ? 10000 : 0) + mean];
  });
  return scored.sort((a, b) => b[1] - a[1]).map(([column]) => column);
}

// A cell that a spreadsheet would take for a formula gets a ' before it; plain numbers do not need one.
export function safe(cell) {
  return /^[=+\-@\t\r]/.test(cell) && !/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(cell) ? `'${cell}` : cell;
}

// With a mark at its beginning, by which Excel knows UTF-8.
export function write(rows) {
  const cell = (value) => {
    const text = safe(String(value));
    return /[",\n\r]/.test(text) || text !== text.trim() ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return "\ufeff" + rows.map((row) => row.map(cell).join(",")).join("\r\n") + "\r\n";
}
