// The app's Home of whoever one is, beside the channel: two tabs, as the ARIA Authoring Practices describe them.
// Opening it sends Slack's `app_home_opened`; what the app published last stays until it publishes anew.

import { block } from "./blocks.js";
import { order } from "./dialogs.js";
import { find, h, keyed } from "./dom.js";
import { person } from "./people.js";
import { message } from "./slack.js";

const TABS = ["channel", "home"];
let homes = {};
let direct = [];

const isOpen = () => !find("home").hidden;

export function take(published) {
  homes = published;
  draw();
}

/** Takes what the app told people in its own conversation with them. */
export function told(messages) {
  direct = messages;
  draw();
}

/** Somebody else is before the page: Slack opens their own Home. */
export function changePerson() {
  draw();
  if (isOpen()) opens();
}

function draw() {
  const blocks = homes[person()];
  const press = (button) => ({ do: "press", user: person(), action: button.action_id, value: button.value ?? "" });
  if (blocks) keyed(find("view"), blocks.map((one, at) => ({ ...one, at })), (one) => `${person()} ${one.at}`, (one) => block(one, press));
  else find("view").replaceChildren(h("p", { class: "empty" }, "Governor publishes your Home when you open it, which takes a second. If nothing comes, Slack or Governor is down: open it again later."));
  const mine = direct.filter((one) => one.user === person());
  find("direct").hidden = !mine.length;
  const box = find("direct-messages");
  const said = box.children.length;
  keyed(box, mine, (one) => one.ts, (one) => message(one));
  if (box.children.length !== said) box.scrollTop = box.scrollHeight;
}

const opens = () => order({ do: "home", user: person() });

/** Shows the channel or the Home. */
export function turnTo(chosen) {
  for (const name of TABS) {
    find(name).hidden = name !== chosen;
    const tab = find(`tab-${name}`);
    tab.setAttribute("aria-selected", String(name === chosen));
    tab.tabIndex = name === chosen ? 0 : -1;
  }
}

function pressed(event) {
  const at = TABS.indexOf(event.target.id.replace("tab-", ""));
  const to = { ArrowRight: (at + 1) % TABS.length, ArrowLeft: (at + TABS.length - 1) % TABS.length, Home: 0, End: TABS.length - 1 }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  find(`tab-${TABS[to]}`).focus();
}

for (const name of TABS) {
  const tab = find(`tab-${name}`);
  tab.addEventListener("keydown", pressed);
  tab.addEventListener("click", () => {
    const before = isOpen();
    turnTo(name);
    draw();
    if (isOpen() && !before) opens();
  });
}
