// Small helpers for the page's own DOM. Text is always set as text, never as markup.

export const find = (id) => document.getElementById(id);

/** An element: `h("button", {class: "primary", onclick: f, "aria-label": "x"}, "text", child)`. */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  fill(element, properties);
  element.append(...children.flat().filter((one) => one !== null && one !== undefined && one !== ""));
  return element;
}

/** The same for SVG. */
export function svg(tag, properties = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  fill(element, properties);
  element.append(...children.flat());
  return element;
}

function fill(element, properties) {
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
}

/**
 * Makes the children of `parent` those of `items`, by key, and draws anew only what has changed, so that focus, open
 * threads and scroll positions stay. `draw(item)` gives an element.
 */
export function keyed(parent, items, keyOf, draw) {
  const old = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  const focused = parent.contains(document.activeElement) ? document.activeElement.dataset.focus : undefined;
  const wanted = items.map((item) => {
    const key = String(keyOf(item));
    const look = JSON.stringify(item);
    const known = old.get(key);
    if (known && known.look === look) return known;
    const element = draw(item);
    element.dataset.key = key;
    element.look = look;
    carryOpenParts(known, element);
    return element;
  });
  const same = wanted.length === parent.children.length && wanted.every((one, at) => one === parent.children[at]);
  if (!same) parent.replaceChildren(...wanted);
  if (focused && !parent.contains(document.activeElement)) {
    const again = [...parent.querySelectorAll("[data-focus]")].find((one) => one.dataset.focus === focused);
    (again ?? parent).focus({ preventScroll: true }); // where what had the focus is gone, the keyboard goes on from here
  }
}

/** What a person has opened or closed stays so; everything else is as it is drawn now. */
function carryOpenParts(from, to) {
  const before = from ? [...from.querySelectorAll("details")] : [];
  [...to.querySelectorAll("details")].forEach((one, at) => {
    const old = before[at];
    const chosen = old && String(old.open) !== old.dataset.drawn;
    if (chosen) one.open = old.open;
    one.dataset.drawn = String(chosen ? !one.open : one.open);
  });
}

const CLOCK = new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", hour: "2-digit", minute: "2-digit" });
const DAY = new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", weekday: "short", day: "numeric", month: "short" });
export const clock = (seconds) => CLOCK.format(new Date(seconds * 1000));
export const day = (seconds) => DAY.format(new Date(seconds * 1000));

/** US dollars, with as many digits as a person wants of the amount. */
export function usd(amount) {
  const digits = Math.abs(amount) >= 1000 ? 0 : 2;
  const text = amount.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return amount > 0 && amount < 0.005 ? "<$0.01" : `$${text}`;
}

/** A stretch of seconds: `28 d`, `3 h`, `12 min`. */
export function span(seconds) {
  if (seconds >= 172800) return `${Math.floor(seconds / 86400)} d`;
  if (seconds >= 7200) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.max(0, Math.floor(seconds / 60))} min`;
}
