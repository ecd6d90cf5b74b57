// Completion of what follows /governor: a combobox with a list, as the ARIA Authoring Practices describe it.

import { find, h } from "./dom.js";

const MOST = 8;
let known = [];
let chosen = -1;

export function completes(completions) {
  if (known.length) return;
  known = completions;
  const input = find("command");
  input.addEventListener("input", open);
  input.addEventListener("focus", open);
  input.addEventListener("keydown", pressed);
  input.addEventListener("blur", () => setTimeout(close, 150));
}

function open() {
  const typed = find("command").value.trim().toLowerCase();
  const found = known.filter((one) => one.text.startsWith(typed) && one.text !== typed).slice(0, MOST);
  chosen = -1;
  find("command").removeAttribute("aria-activedescendant");
  find("completions").replaceChildren(
    ...found.map((one, at) => h("li", { role: "option", id: `completion-${at}`, "aria-selected": "false", "data-text": one.text, onmousedown: () => take(one.text) }, h("strong", {}, one.text), h("span", { class: "note" }, one.meaning))),
  );
  toggle(found.length > 0);
}

function toggle(shown) {
  find("completions").hidden = !shown;
  find("command").setAttribute("aria-expanded", String(shown));
}

const close = () => toggle(false);

function take(text) {
  find("command").value = text;
  close();
}

function pressed(event) {
  const options = [...find("completions").children];
  if (find("completions").hidden) return;
  if (event.key === "Escape") close();
  else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    const step = event.key === "ArrowDown" ? 1 : -1;
    chosen = (chosen + step + options.length) % options.length;
    options.forEach((one, at) => one.setAttribute("aria-selected", String(at === chosen)));
    find("command").setAttribute("aria-activedescendant", options[chosen].id);
    options[chosen].scrollIntoView({ block: "nearest" });
  } else if ((event.key === "Tab" || event.key === "Enter") && chosen >= 0) {
    event.preventDefault();
    take(options[chosen].dataset.text);
  }
}
