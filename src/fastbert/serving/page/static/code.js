// The request that the page sends, as others would send it.

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

const string = (text) => JSON.stringify(text).replace(/\u007f/g, "\\u007f");

const literal = (text) => (Array.isArray(text) ? `(${text.map(string).join(", ")})` : string(text));

export function curl(address, body, keys) {
  const key = keys ? ` \\\n  -H "Authorization: Bearer $FASTBERT_API_KEY"` : "";
  return `curl ${quoted(address + "v1/predict")} \\\n  -H 'Content-Type: application/json'${key} \\\n  -d ${quoted(JSON.stringify(body))}`;
}

export function python(address, body, keys) {
  const options = [];
  if (body.model !== undefined) options.push(`model=${string(body.model)}`);
  if (body.threshold !== undefined) options.push(`threshold=${body.threshold}`);
  const key = keys ? `, api_key=os.environ["FASTBERT_API_KEY"]` : "";
  const given = [`[${body.texts.map(literal).join(", ")}]`, ...options].join(", ");
  return `${keys ? "import os\n\n" : ""}from fastbert import Client\n\nclient = Client(${string(address.replace(/\/$/, ""))}${key})\n${body.explain ? "explanations = client.explain" : "predictions = client.predict"}(${given})`;
}
