// The channel as Slack draws it, with buttons that are sent, signed, to the stack's Slack function URL.

import { block, picture } from "./blocks.js";
import { order, show } from "./dialogs.js";
import { clock, find, h, keyed } from "./dom.js";
import { mrkdwn } from "./mrkdwn.js";
import { names, person } from "./people.js";

let last = null;

export function draw(slack = last) {
  if (!slack) return;
  last = slack;
  const box = find("messages");
  const atEnd = box.scrollHeight - box.scrollTop - box.clientHeight < 80;
  const items = [
    ...slack.threads.map((one) => ({ kind: "parent", ...one })),
    ...slack.threads.flatMap((thread) =>
      thread.replies
        .filter((one) => one.subtype === "thread_broadcast")
        .map((one) => ({ kind: "broadcast", to: thread.text, ...one })),
    ),
    ...slack.only.filter((one) => one.user === person()).map((one) => ({ kind: "only", ...one })),
  ].sort((one, other) => Number(one.ts) - Number(other.ts));
  if (items.length) keyed(box, items, (one) => one.kind + one.ts, item);
  else box.replaceChildren(h("p", { class: "empty" }, "Nothing has been said yet: nothing is wrong."));
  if (atEnd) toEnd();
  mails(slack.mails);
  modal(slack.modals[person()]);
}

function item(one) {
  if (one.kind === "only") return message(one, h("p", { class: "aside" }, "Only visible to you"));
  if (one.kind === "broadcast") {
    return message(one, h("p", { class: "aside" }, `replied to a thread: ${plain(one.to)}`));
  }
  const count = one.replies.length + one.hidden;
  const seen = one.replies.some((reply) => reply.blocks?.some((each) => each.type === "image"));
  const thread = count
    ? h("details", { class: "thread", open: seen }, h("summary", { "data-focus": `thread ${one.ts}` }, `${count} ${count === 1 ? "reply" : "replies"}`), ...one.replies.map((reply) => message(reply)))
    : null;
  return message(one, null, thread);
}

/** A message; of one with blocks, Slack shows no text: that is for notifications. */
export function message(one, aside = null, thread = null) {
  const click = (button) => ({ do: "click", user: person(), ts: one.ts, action: button.action_id });
  const edited = one.edited ? h("span", { class: "edited" }, " (edited)") : null;
  return h(
    "article",
    { class: one.kind === "only" ? "message only" : "message" },
    h("span", { class: "avatar", "aria-hidden": "true" }, "G"),
    h(
      "div",
      { class: "body" },
      aside,
      h("p", { class: "author" }, h("strong", {}, "Governor"), " ", h("span", { class: "app" }, "APP"), " ", h("time", {}, clock(Number(one.ts))), one.blocks?.length ? edited : null),
      one.blocks?.length ? null : h("div", { class: "text" }, ...mrkdwn(one.text, names), edited),
      ...(one.blocks ?? []).map((each) => block(each, click)),
      ...(one.attachments ?? []).map((each) => attachment(each, click)),
      ...(one.files ?? []).map(file),
      thread,
    ),
  );
}

function attachment(one, click) {
  const shape = { class: `attachment ${colour(one.color)}` };
  const blocks = one.blocks ?? [{ type: "section", text: { type: "mrkdwn", text: one.text ?? one.fallback ?? "" } }];
  return h("div", shape, ...blocks.map((each) => block(each, click)));
}

// The colours that Governor's messages use; the page's policy allows no inline style.
function colour(value) {
  return { "#2eb67d": "green", "#d72b3f": "red", "#ecb22e": "yellow", "#e8912d": "orange" }[String(value).toLowerCase()] ?? "grey";
}

function file(one) {
  const title = one.title || one.name;
  if (one.image) return picture({ ...one, title, alt: one.alt || title });
  const lines = one.text.split("\n").map((line) => h("span", { class: line.startsWith("+") ? "added" : line.startsWith("-") ? "taken" : "" }, `${line}\n`));
  return h("div", { class: "file" }, h("p", { class: "file-name" }, title), h("pre", { tabindex: "0", "aria-label": `File ${one.name}` }, ...lines));
}

/** Scrolls the channel to what was said last; it stays there until somebody scrolls. */
export function toEnd() {
  find("messages").scrollTop = find("messages").scrollHeight;
}

/** Scrolls the channel to the newest picture whose alternative text begins so. */
export function seek(words) {
  const box = find("messages");
  const found = [...box.querySelectorAll("figure")].reverse().find((one) => one.querySelector("img").alt.startsWith(words));
  if (found) box.scrollTop += found.getBoundingClientRect().bottom + 12 - box.getBoundingClientRect().bottom;
}

function mails(sent) {
  const box = find("mails");
  if (!sent.length) return box.replaceChildren(h("p", { class: "empty" }, "None so far."));
  return keyed(box, sent.map((one, at) => ({ ...one, at })), (one) => one.at, (one) =>
    h("details", { class: "mail" }, h("summary", {}, one.subject || "no subject"), h("pre", { tabindex: "0", "aria-label": "The e-mail's text" }, one.text)));
}

let modalShown = null;

function modal(view) {
  if (!view || modalShown === view.id) return;
  modalShown = view.id;
  const inputs = view.blocks.filter((one) => one.type === "input");
  const fields = view.blocks.map((one) => {
    if (one.type !== "input") return block(one, () => ({}));
    const { action_id: id, multiline, max_length: most, placeholder } = one.element;
    const shape = { name: id, maxlength: most ?? 3000, required: !one.optional, placeholder: placeholder?.text };
    return h("label", { class: "field" }, one.label.text, multiline ? h("textarea", { ...shape, rows: 3 }) : h("input", { ...shape, type: "text" }));
  });
  const user = person();
  show(view.title.text, fields, view.submit?.text ?? "Submit", view.close?.text ?? "Close").then((form) => {
    modalShown = null;
    if (!form) return order({ do: "close", user });
    const given = Object.fromEntries(inputs.map((one) => [one.element.action_id, String(form.get(one.element.action_id) ?? "")]));
    return order({ do: "submit", user, inputs: given });
  });
}

function plain(value) {
  const short = value.replace(/<[@#!]?([^<>|]+)(?:\|([^<>]*))?>/g, (_, target, label) => label ?? names[target] ?? target);
  return short.length > 90 ? `${short.slice(0, 90)} …` : short;
}
