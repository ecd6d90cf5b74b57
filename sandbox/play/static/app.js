// The page: hears the sandbox's state as server-sent events, and sends what people do as orders.

import { order, say } from "./dialogs.js";
import { clock, day, find, h, keyed } from "./dom.js";
import * as home from "./home.js";
import * as panels from "./panels.js";
import * as people from "./people.js";
import * as slack from "./slack.js";
import * as tour from "./tour.js";
import { completes } from "./completion.js";

const state = { events: [] };

const PARTS = {
  fixed: (part) => {
    people.take(part.people);
    tour.take(part.tour);
    completes(part.completions);
  },
  time,
  slack: (part) => {
    slack.draw(part);
    home.told(part.direct);
  },
  homes: home.take,
  keys: panels.keys,
  lineages: panels.lineages,
  chains: panels.chains,
  presets: panels.presets,
  events: panels.timeline,
  troubles,
};

function hear(parts) {
  Object.assign(state, parts);
  if (parts.fixed) PARTS.fixed(parts.fixed);
  for (const [name, part] of Object.entries(parts)) if (name !== "fixed") PARTS[name]?.(part);
  if (state.money && (parts.money || parts.events || parts.time)) panels.money(state.money, state.events, state.time.now);
  document.body.dataset.ready = "yes";
}

function time(part) {
  find("clock").textContent = `${day(part.now)}, ${clock(part.now)} UTC`;
  find("clock").setAttribute("datetime", new Date(part.now * 1000).toISOString());
  const name = { paused: "paused", x1: "×1", x60: "×60" }[part.pace];
  find("pace").textContent = part.doing ? `under way: ${part.doing}` : name;
  for (const one of document.querySelectorAll("[data-time]")) {
    if (one.hasAttribute("aria-pressed")) one.setAttribute("aria-pressed", String(!part.doing && one.dataset.time === part.pace));
  }
  if (part.outcome && part.outcome !== state.outcome) say(part.outcome);
  state.outcome = part.outcome;
  tour.hear(part);
}

function troubles(part) {
  const chosen = find("trouble-name").value;
  keyed(find("trouble-name"), part.kinds.map(({ name, title }) => ({ name, title })), (one) => one.name, (one) => h("option", { value: one.name }, one.title));
  if (chosen) find("trouble-name").value = chosen;
  targets();
  keyed(find("standing"), part.standing, (one) => one.id, (one) =>
    h("li", {}, `${one.title}${one.target ? `: ${one.target}` : ""}, since ${clock(one.since)} `,
      h("button", { type: "button", "data-focus": `end ${one.id}`, "aria-label": `End: ${one.title} ${one.target}`, onclick: () => order({ do: "end", id: one.id }) }, "End it")));
}

function targets() {
  const kind = state.troubles.kinds.find((one) => one.name === find("trouble-name").value);
  const chosen = find("trouble-target").value;
  find("trouble-says").textContent = kind.says[0].toUpperCase() + kind.says.slice(1);
  find("trouble-target-label").hidden = !kind.targets.length;
  keyed(find("trouble-target"), kind.targets, (one) => one, (one) => h("option", { value: one }, one));
  if (kind.targets.includes(chosen)) find("trouble-target").value = chosen;
}

find("person").addEventListener("change", () => {
  slack.draw();
  home.changePerson();
});
find("trouble-name").addEventListener("change", targets);
find("filter").addEventListener("input", () => panels.timeline(state.events));
find("troubles").addEventListener("submit", (event) => {
  event.preventDefault();
  const target = find("trouble-target-label").hidden ? "" : find("trouble-target").value;
  order({ do: "trouble", name: find("trouble-name").value, target });
});
find("composer").addEventListener("submit", async (event) => {
  event.preventDefault();
  const text = find("command").value.trim();
  if (await order({ do: "command", user: people.person(), text })) find("command").value = "";
});
for (const one of document.querySelectorAll("[data-time]")) {
  one.addEventListener("click", () => order({ do: "time", mode: one.dataset.time }));
}

const stream = new EventSource("api/stream");
stream.onmessage = (event) => hear(JSON.parse(event.data));
stream.onerror = () => say("The sandbox does not answer. Is `make play` still running?", true);
stream.onopen = () => say("");
