// Orders to the sandbox, and the page's one dialog: confirmations, Slack's modals, and what is behind an event.

import { find, h } from "./dom.js";

/** Sends an order; whether it was taken. What there is to say is said in the status line. */
export async function order(wanted) {
  document.body.classList.add("working");
  try {
    const answer = await fetch("api/do", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(wanted) });
    const said = await answer.json();
    say(said.error ?? said.said ?? "", !answer.ok);
    return answer.ok;
  } catch {
    say("The sandbox does not answer. Is `make play` still running?", true);
    return false;
  } finally {
    document.body.classList.remove("working");
  }
}

export function say(text, isError = false) {
  const line = find("status");
  line.textContent = text;
  line.classList.toggle("error", isError);
}

/** Asks; whether the person said yes. */
export async function ask(title, question, yes, no, style) {
  return (await show(title, [h("p", {}, question)], yes, no, style)) !== null;
}

/** Shows a form; what was filled in, or null where it was closed. `yes` empty: there is nothing to submit. `shape`: a class. */
export function show(title, content, yes, no, style = "primary", shape = "") {
  const dialog = find("dialog");
  const form = h(
    "form",
    { method: "dialog" },
    h("h2", { id: "dialog-title" }, title),
    h("div", { class: "dialog-body" }, ...content),
    h(
      "div",
      { class: "dialog-buttons" },
      h("button", { type: "button", onclick: () => dialog.close("") }, no),
      yes ? h("button", { type: "submit", value: "yes", class: style || "primary" }, yes) : null,
    ),
  );
  if (dialog.open) dialog.close("");
  dialog.replaceChildren(form);
  dialog.className = shape;
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes" ? new FormData(form) : null), { once: true });
  });
}
