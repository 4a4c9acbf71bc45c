"use strict";
(() => {
  const list = document.getElementById("list");
  const state = document.getElementById("state");
  const find = document.getElementById("find");
  const base = location.pathname.replace(/\/devcenter-api-2\.0\/?$/, "");
  let csrf = "";

  const make = (tag, properties, ...children) => {
    const node = Object.assign(document.createElement(tag), properties);
    node.append(...children);
    return node;
  };

  // A sample of a schema, as a start for a body.
  const sample = (schema, root, depth = 0) => {
    if (!schema || depth > 6) return null;
    if (schema.$ref) {
      const found = schema.$ref.slice(2).split("/").reduce((node, key) => node && node[key], root);
      return sample(found, root, depth + 1);
    }
    const type = Array.isArray(schema.type) ? schema.type.find(t => t !== "null") : schema.type;
    if (type === "object" || schema.properties) {
      return Object.fromEntries(Object.entries(schema.properties || {}).map(([name, inner]) => [name, sample(inner, root, depth + 1)]));
    }
    if (type === "array") return [];
    if (type === "boolean") return false;
    if (type === "integer" || type === "number") return 0;
    return "";
  };

  const call = async (method, path, fields, body, output) => {
    let address = base + path;
    const query = new URLSearchParams();
    for (const { name, where, input } of fields) {
      if (where === "path") {
        // Names of repositories have slashes: they are encoded twice.
        let text = encodeURIComponent(input.value);
        if (name === "repository_name") text = encodeURIComponent(text);
        address = address.replace("{" + name + "}", text);
      } else if (input.value !== "") query.set(name, input.value);
    }
    if ([...query].length > 0) address += "?" + query;
    const headers = {};
    const name = document.getElementById("name").value;
    if (name !== "") {
      const bytes = new TextEncoder().encode(name + ":" + document.getElementById("password").value);
      headers.Authorization = "Basic " + btoa(String.fromCharCode(...bytes));
    }
    if (body !== null) headers["Content-Type"] = "application/json";
    if (csrf !== "") headers["X-Harbor-CSRF-Token"] = csrf;
    output.textContent = "…";
    try {
      const answer = await fetch(address, { method, headers, body, credentials: name === "" ? "same-origin" : "omit", cache: "no-store" });
      csrf = answer.headers.get("X-Harbor-CSRF-Token") || csrf;
      const text = await answer.text();
      let shown = text;
      try { shown = JSON.stringify(JSON.parse(text), null, 2); } catch { /* It is no JSON: shown as it came. */ }
      const more = ["X-Total-Count", "Link", "Location", "X-Request-Id"].filter(h => answer.headers.has(h)).map(h => h + ": " + answer.headers.get(h)).join("\n");
      output.textContent = method + " " + address + "\n" + answer.status + " " + answer.statusText + "\n" + more + "\n\n" + shown;
    } catch (error) {
      output.textContent = String(error);
    }
  };

  const fill = (holder, method, path, operation, root) => {
    const fields = (operation.parameters || []).map(p => ({ name: p.name, where: p.in, input: make("input", { placeholder: p.schema.type }) }));
    const row = make("div", { className: "fields" }, ...fields.map(f => make("label", {}, f.name, make("br"), f.input)));
    const schema = operation.requestBody && operation.requestBody.content["application/json"].schema;
    const body = schema ? make("textarea", { value: JSON.stringify(sample(schema, root), null, 2), spellcheck: false }) : null;
    const output = make("pre", {});
    const button = make("button", { type: "button", textContent: "Call" });
    button.addEventListener("click", () => call(method.toUpperCase(), path, fields, body && body.value, output));
    holder.append(make("p", { className: "text", textContent: operation.description }), row);
    if (body) holder.append(make("label", {}, "Body", make("br"), body));
    holder.append(button, output);
  };

  const show = (root, groups) => {
    for (const [path, methods] of Object.entries(root.paths)) {
      for (const [method, operation] of Object.entries(methods)) {
        const holder = make("div", { className: "body" });
        const summary = make("summary", {}, make("span", { className: "method", textContent: method.toUpperCase() }), make("code", { textContent: path }), make("span", { className: "text", textContent: operation.summary }));
        const details = make("details", { className: operation.summary.includes("501") ? "later" : "" }, summary, holder);
        details.dataset.words = (method + " " + path + " " + operation.operationId + " " + operation.summary).toLowerCase();
        details.addEventListener("toggle", () => { if (details.open && holder.childElementCount === 0) fill(holder, method, path, operation, root); });
        const tag = operation.tags[0];
        if (!groups.has(tag)) groups.set(tag, []);
        groups.get(tag).push(details);
      }
    }
  };

  find.addEventListener("input", () => {
    const words = find.value.toLowerCase().split(" ").filter(w => w !== "");
    for (const section of list.children) {
      let any = false;
      for (const item of section.querySelectorAll("details")) {
        item.hidden = !words.every(w => item.dataset.words.includes(w));
        any ||= !item.hidden;
      }
      section.hidden = !any;
    }
  });
  document.getElementById("account").addEventListener("submit", event => event.preventDefault());

  (async () => {
    const groups = new Map();
    let count = 0;
    for (const address of ["/api/v2.0/openapi.json", "/api/berth/v1/openapi.json"]) {
      const answer = await fetch(base + address);
      if (!answer.ok) throw new Error(address + ": " + answer.status);
      show(await answer.json(), groups);
    }
    for (const [tag, items] of [...groups].sort((a, b) => a[0].localeCompare(b[0]))) {
      count += items.length;
      list.append(make("section", {}, make("h2", { textContent: tag }), ...items));
    }
    state.textContent = count + " operations";
  })().catch(error => { state.textContent = "The description could not be loaded: " + error.message; });
})();
