// The tour: what will happen, a button that does it, what came of it, and where it shows.

import { order } from "./dialogs.js";
import { find, h } from "./dom.js";
import { turnTo } from "./home.js";
import * as slack from "./slack.js";

let steps = [];
let at = 0;
let running = false;
const outcomes = new Map();

export function take(found) {
  if (steps.length) return;
  steps = found;
  draw();
}

/** Hears how the world stands: whether the step that was begun has ended, and with what. */
export function hear(time) {
  if (running && !time.doing) {
    running = false;
    outcomes.set(at, time.outcome);
    draw();
    point();
  }
}

function draw() {
  const step = steps[at];
  const done = outcomes.get(at);
  const focused = find("tour").contains(document.activeElement) ? document.activeElement.dataset.focus : null;
  find("tour").replaceChildren(
    h("div", { class: "tour-head" }, h("h2", { id: "tour-heading" }, `Tour, step ${at + 1} of ${steps.length}: ${step.title}`),
      h("div", { class: "tour-steps" }, button("Back", "back", () => go(at - 1), at === 0 || running), button("Next", "next", () => go(at + 1), at === steps.length - 1 || running))),
    h("p", {}, step.will),
    h("p", { class: "tour-do" },
      button(running ? "Under way …" : done === undefined ? "Do it" : "Do it again", "do", begin, running, "primary"),
      done === undefined ? null : button("Show me where", "show", point, false)),
    h("p", { class: "outcome", role: "status" }, done === undefined ? "" : done),
  );
  if (focused) [...find("tour").querySelectorAll("button")].find((one) => one.dataset.focus === focused && !one.disabled)?.focus();
}

function button(text, focus, act, disabled, kind = "") {
  return h("button", { type: "button", class: kind, "data-focus": focus, onclick: act, disabled }, text);
}

function go(step) {
  at = step;
  draw();
}

async function begin() {
  const step = steps[at];
  if (step.person) {
    find("person").value = step.person;
    slack.draw();
  }
  turnTo("channel");
  slack.toEnd();
  running = true;
  draw();
  if (!(await order({ do: "tour", step: at }))) {
    running = false;
    draw();
  }
}

function point() {
  const part = find(steps[at].look);
  for (const one of document.querySelectorAll(".pointed")) one.classList.remove("pointed");
  part.classList.add("pointed");
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  part.scrollIntoView({ block: "nearest", behavior: calm ? "auto" : "smooth" });
  slack.toEnd();
  if (steps[at].picture) slack.seek(steps[at].picture);
}
