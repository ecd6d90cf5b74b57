// The channel as Slack draws it, with buttons that are sent, signed, to the stack's Slack function URL.

import { ask, order, show } from "./dialogs.js";
import { clock, find, h, keyed } from "./dom.js";
import { mrkdwn } from "./mrkdwn.js";

const names = {};
let last = null;

export const person = () => find("person").value;

export function take(people) {
  for (const one of people) names[one.id] = one.name.split(" ")[0];
  const chosen = person();
  keyed(find("person"), people, (one) => one.id, (one) => h("option", { value: one.id }, `${one.name}, ${one.role}`));
  if (chosen) find("person").value = chosen;
}

export function become(id) {
  find("person").value = id;
  if (last) draw(last);
}

export function draw(slack) {
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
  if (atEnd) box.scrollTop = box.scrollHeight;
  mails(slack.mails);
  modal(slack.modals[person()]);
}

function item(one) {
  if (one.kind === "only") return message(one, h("p", { class: "aside" }, "Only visible to you"));
  if (one.kind === "broadcast") {
    return message(one, h("p", { class: "aside" }, `replied to a thread: ${plain(one.to)}`));
  }
  const count = one.replies.length + one.hidden;
  const thread = count
    ? h("details", { class: "thread" }, h("summary", { "data-focus": `thread ${one.ts}` }, `${count} ${count === 1 ? "reply" : "replies"}`), ...one.replies.map((reply) => message(reply)))
    : null;
  return message(one, null, thread);
}

function message(one, aside = null, thread = null) {
  return h(
    "article",
    { class: one.kind === "only" ? "message only" : "message" },
    h("span", { class: "avatar", "aria-hidden": "true" }, "G"),
    h(
      "div",
      { class: "body" },
      aside,
      h("p", { class: "author" }, h("strong", {}, "Governor"), " ", h("span", { class: "app" }, "APP"), " ", h("time", {}, clock(Number(one.ts)))),
      h("div", { class: "text" }, ...mrkdwn(one.text, names), one.edited ? h("span", { class: "edited" }, "(edited)") : null),
      ...(one.blocks ?? []).map((each) => block(each, one.ts)),
      ...(one.attachments ?? []).map((each) => attachment(each, one.ts)),
      ...(one.files ?? []).map(file),
      thread,
    ),
  );
}

function attachment(one, ts) {
  const shape = { class: `attachment ${colour(one.color)}` };
  const blocks = one.blocks ?? [{ type: "section", text: { type: "mrkdwn", text: one.text ?? one.fallback ?? "" } }];
  return h("div", shape, ...blocks.map((each) => block(each, ts)));
}

// The colours that Governor's messages use; the page's policy allows no inline style.
function colour(value) {
  return { "#2eb67d": "green", "#d72b3f": "red", "#ecb22e": "yellow", "#e8912d": "orange" }[String(value).toLowerCase()] ?? "grey";
}

const BLOCKS = {
  header: (one) => h("h3", { class: "block-header" }, one.text.text),
  divider: () => h("hr"),
  section: (one, ts) =>
    h(
      "div",
      { class: "section" },
      h(
        "div",
        {},
        ...(one.text ? text(one.text) : []),
        one.fields ? h("div", { class: "fields" }, ...one.fields.map((each) => h("div", {}, ...text(each)))) : null,
      ),
      one.accessory ? element(one.accessory, ts) : null,
    ),
  context: (one, ts) => h("div", { class: "context" }, ...one.elements.map((each) => h("div", {}, ...(each.text ? text(each) : [element(each, ts)])))),
  actions: (one, ts) => h("div", { class: "actions" }, ...one.elements.map((each) => element(each, ts))),
  image: (one) => image(one.slack_file?.id, one.alt_text, one.title?.text),
};

function block(one, ts) {
  return (BLOCKS[one.type] ?? ((each) => h("p", { class: "note" }, `(a block of type ${each.type})`)))(one, ts);
}

function text(one) {
  if (typeof one.text !== "string") return [];
  return one.type === "plain_text" ? [h("div", { class: "said" }, one.text)] : mrkdwn(one.text, names);
}

function element(one, ts) {
  if (one.type === "image") return image(one.slack_file?.id, one.alt_text);
  if (one.type !== "button") return h("span", { class: "note" }, `(${one.type})`);
  const act = async () => {
    const confirm = one.confirm;
    if (confirm && !(await ask(confirm.title.text, confirm.text.text, confirm.confirm.text, confirm.deny.text, one.style))) return;
    await order({ do: "click", user: person(), ts, action: one.action_id });
  };
  return h("button", { type: "button", class: one.style ?? "", "data-focus": `${ts} ${one.action_id}`, onclick: act }, one.text.text);
}

function file(one) {
  const head = h("p", { class: "file-name" }, one.title || one.name);
  if (one.image) return h("figure", { class: "file" }, head, image(one.id, one.title || one.name));
  const lines = one.text.split("\n").map((line) => h("span", { class: line.startsWith("+") ? "added" : line.startsWith("-") ? "taken" : "" }, `${line}\n`));
  return h("div", { class: "file" }, head, h("pre", { tabindex: "0", "aria-label": `File ${one.name}` }, ...lines));
}

function image(id, alternative, title) {
  if (!id) return h("p", { class: "note" }, alternative ?? "an image");
  const picture = h("img", { src: `api/files/${encodeURIComponent(id)}`, alt: alternative ?? "" });
  return title ? h("figure", {}, h("figcaption", {}, title), picture) : picture;
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
    if (one.type !== "input") return block(one, "");
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
