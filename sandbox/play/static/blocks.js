// Block Kit as DOM: the blocks of messages, modals and Homes, and pictures, which can be enlarged.
// Source: https://docs.slack.dev/reference/block-kit/blocks

import { ask, order, show } from "./dialogs.js";
import { h } from "./dom.js";
import { mrkdwn } from "./mrkdwn.js";
import { names } from "./people.js";

const BLOCKS = {
  header: (one) => h("h3", { class: "block-header" }, one.text.text),
  divider: () => h("hr"),
  section: (one, click) =>
    h(
      "div",
      { class: "section" },
      h(
        "div",
        {},
        ...(one.text ? text(one.text) : []),
        one.fields ? h("div", { class: "fields" }, ...one.fields.map((each) => h("div", {}, ...text(each)))) : null,
      ),
      one.accessory ? element(one.accessory, click) : null,
    ),
  context: (one, click) => h("div", { class: "context" }, ...one.elements.map((each) => h("div", {}, ...(each.text ? text(each) : [element(each, click)])))),
  actions: (one, click) => h("div", { class: "actions" }, ...one.elements.map((each) => element(each, click))),
  image: (one) => picture({ id: one.slack_file?.id, alt: one.alt_text, title: one.title?.text, width: one.width, height: one.height }),
};

/** A block. `click(element)`: the order that a click on this button is. */
export function block(one, click) {
  return (BLOCKS[one.type] ?? ((each) => h("p", { class: "note" }, `(a block of type ${each.type})`)))(one, click);
}

function text(one) {
  if (typeof one.text !== "string") return [];
  return one.type === "plain_text" ? [h("div", { class: "said" }, one.text)] : mrkdwn(one.text, names);
}

function element(one, click) {
  if (one.type === "image") return h("img", { src: address(one.slack_file?.id), alt: one.alt_text });
  if (one.type !== "button") return h("span", { class: "note" }, `(${one.type})`);
  const act = async () => {
    const confirm = one.confirm;
    if (confirm && !(await ask(confirm.title.text, confirm.text.text, confirm.confirm.text, confirm.deny.text, one.style))) return;
    await order(click(one));
  };
  return h("button", { type: "button", class: one.style ?? "", "data-focus": Object.values(click(one)).join(" "), onclick: act }, one.text.text);
}

/** A picture with its title. A click on it, or on its button, shows it large, with its alternative text in plain sight. */
export function picture({ id, alt = "", title = "", width, height }) {
  if (!id) return h("p", { class: "note" }, alt || "an image");
  const enlarge = () => {
    const large = h("div", { class: "enlarged", tabindex: "0", role: "group", "aria-label": "The picture" }, h("img", { src: address(id), alt, width, height }));
    return show(title || "Picture", [large, h("p", { class: "note" }, alt)], "", "Close", "", "wide");
  };
  return h(
    "figure",
    { class: "picture" },
    h("figcaption", {}, h("span", {}, title),
      h("button", { type: "button", "data-focus": `enlarge ${id}`, "aria-label": `Enlarge the picture: ${title}`, onclick: enlarge }, "Enlarge")),
    h("img", { src: address(id), alt, width, height, onclick: enlarge }),
  );
}

const address = (id) => `api/files/${encodeURIComponent(id ?? "")}`;
