// The right side: spend, keys, rotation, provider keys, presets, and the timeline with the ledger rows behind it.

import { sparkline } from "./chart.js";
import { show } from "./dialogs.js";
import { clock, day, find, h, keyed, span, usd } from "./dom.js";

const chip = (text, kind) => h("span", { class: `chip ${kind}` }, text);

export function money(part, events, now) {
  const off = (name) => events.filter((one) => one.type === "Key Disabled" && one.subject === name).map((one) => one.at);
  const drawn = part.lines.map((one) => ({ ...one, at: part.at, marks: off(one.name), now: Math.floor(now / 60) * 60 }));
  keyed(find("lines"), drawn, (one) => one.name, (one) => {
    const { drawing, current, peak } = sparkline(one.name, one.at, one.rates, one.marks, one.now);
    return h(
      "div",
      { class: "money-line" },
      h("span", { class: "name" }, one.name),
      drawing,
      h("span", { class: `rate ${current >= 20 ? "hot" : ""}` }, `${usd(current)}/h`),
      h("span", { class: "note sums" }, `peak ${usd(peak)}/h · month ${usd(one.month_usd)}`),
    );
  });
  const difference = part.spent_usd - part.metered_usd;
  find("metered").textContent =
    `On credits since Governor came: ${usd(part.spent_usd)}. Metered by Governor: ${usd(part.metered_usd)}` +
    (Math.abs(difference) < 0.005 ? ", to the cent." : `; ${usd(Math.abs(difference))} not read yet.`);
}

export function keys(rows) {
  keyed(find("key-rows"), rows, (one) => one.id, (one) => {
    const state = one.disabled ? [chip("disabled", "bad"), ` ${one.causes.join(", ")}`] : [chip("enabled", "good")];
    const place = one.lineage && !(one.lineage === "current") ? h("span", { class: "note" }, ` ${one.lineage}`) : null;
    const limit = one.limit_usd === null ? usd(one.spent_usd) : `${usd(one.spent_usd)} of ${usd(one.limit_usd)}`;
    const own = one.own_usd ? h("span", { class: "note place" }, `${usd(one.own_usd)} on own provider keys`) : null;
    return h(
      "tr",
      {},
      h("th", { scope: "row" }, one.name, h("span", { class: "note place" }, one.workspace)),
      h("td", { "data-label": "State" }, ...state, place),
      h("td", { "data-label": "Age" }, span(one.age)),
      h("td", { "data-label": "Spent" }, limit, own),
    );
  });
}

export function lineages(rows) {
  const box = find("lineage-list");
  if (!rows.length) return box.replaceChildren(h("p", { class: "empty" }, "No key has been rotated yet. Type rotate prod-search-agent, or let a key leak."));
  return keyed(box, rows, (one) => one.workload, (one) =>
    h(
      "div",
      { class: "lineage" },
      h("p", { class: "name" }, one.workload, one.rotating ? chip("rotating", "warm") : null),
      h("ol", {}, ...one.keys.map((key) =>
        h("li", {}, chip(key.state, { current: "good", overlap: "warm", pending: "warm" }[key.state] ?? "cold"), ` ${key.name}`,
          key.until ? h("span", { class: "note" }, ` until ${key.until.slice(11, 16)} UTC`) : null))),
    ));
}

export function chains(rows) {
  keyed(find("chain-list"), rows, (one) => one.workspace, (one) =>
    h(
      "div",
      { class: "chain" },
      h("p", { class: "name" }, one.workload, h("span", { class: "note" }, ` in ${one.workspace}`)),
      h("ol", {}, ...one.steps.map((step) =>
        h("li", { class: step.serves ? "step serves" : "step" }, h("strong", {}, step.name), h("span", { class: "note" }, `${step.kind}, ${step.state}`),
          step.serves ? chip("serves now", step.kind === "credits" ? "bad" : "good") : null))),
      one.nobody ? h("p", { class: "error" }, "Nobody serves this workload's requests now.") : null,
    ));
}

export function presets(part) {
  find("preset-name").textContent = part.slug;
  const places = part.places.map((one) => ({ ...one, approved: part.approved, drifted: part.drifted }));
  keyed(find("preset-places"), places, (one) => one.workspace, (one) =>
    h(
      "div",
      { class: "place" },
      h("h3", {}, one.workspace),
      h("ol", {}, ...one.versions.map((version, at) => {
        const production = one.workspace.endsWith("production");
        const marks = [at === 0 ? chip("served", "good") : null, production && version.version === one.approved ? chip("approved", "cold") : null];
        return h("li", { class: at === 0 ? "" : "old" }, h("p", {}, h("strong", {}, `version ${version.version}`), ` ${clock(version.at)} `, ...marks),
          h("p", { class: "prompt" }, `“${version.prompt}”`), h("p", { class: "note" }, `${version.model}, temperature ${version.temperature ?? "unset"}`));
      })),
    ));
}

export function timeline(events) {
  const wanted = find("filter").value.trim().toLowerCase().split(/\s+/).filter(Boolean);
  const holds = (one) => wanted.every((word) => `${one.type} ${one.subject} ${one.figures} ${one.reason}`.toLowerCase().includes(word));
  const found = events.filter(holds);
  find("matches").textContent = wanted.length ? `${found.length} of ${events.length} events` : `${events.length} events`;
  if (!found.length) return find("events").replaceChildren(h("li", { class: "empty" }, events.length ? "No event has these words." : "No events yet."));
  return keyed(find("events"), found, (one) => one.id, (one) =>
    h("li", {}, h("button", { type: "button", class: "event", "data-focus": one.id, onclick: () => behind(one) },
      h("time", {}, `${day(one.at).replace(/^\w+,? /, "")} ${clock(one.at)}`), h("strong", {}, one.type), h("span", { class: "subject" }, one.subject), h("span", { class: "note" }, one.figures))));
}

async function behind(event) {
  const answer = await fetch(`api/events/${encodeURIComponent(event.id)}`);
  const found = await answer.json();
  if (!answer.ok) return show(event.type, [h("p", {}, found.error)], "", "Close");
  const json = (value, label) => h("pre", { tabindex: "0", "aria-label": label }, JSON.stringify(value, null, 2));
  const rows = found.rows.map((row) =>
    h("details", {}, h("summary", {}, `${row.table}: ${row.pk} / ${row.sk}`, h("span", { class: "note" }, ` ${row.why}`)), json(row.data, `Row ${row.pk}`)));
  return show(`${event.type}: ${event.subject}`, [h("p", {}, event.reason), h("h3", {}, "Rows behind it"), ...rows, h("h3", {}, "The event"), json(found.event, "The event as JSON")], "", "Close");
}
