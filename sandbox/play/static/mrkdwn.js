// Slack's mrkdwn as DOM. Source: https://docs.slack.dev/messaging/formatting-message-text

import { clock, day, h } from "./dom.js";

const PIECES = /```([\s\S]+?)```|`([^`\n]+)`|<([^<>\n]+)>|\*(?!\s)([^*\n]+)(?<!\s)\*|(?<!\w)_(?!\s)([^_\n]+)(?<!\s)_(?!\w)|~(?!\s)([^~\n]+)(?<!\s)~/g;

/** The text as nodes. `names`: a person's name by user id. */
export function mrkdwn(text, names) {
  const lines = String(text ?? "").split("\n");
  const nodes = [];
  let quoted = [];
  const endQuote = () => {
    if (quoted.length) nodes.push(h("blockquote", {}, ...broken(quoted, names)));
    quoted = [];
  };
  let plain = [];
  const endPlain = () => {
    if (plain.length) nodes.push(h("div", { class: "said" }, ...inline(plain.join("\n"), names)));
    plain = [];
  };
  for (const line of lines) {
    if (/^(&gt;|>) ?/.test(line)) {
      endPlain();
      quoted.push(line.replace(/^(&gt;|>) ?/, ""));
    } else {
      endQuote();
      plain.push(line);
    }
  }
  endPlain();
  endQuote();
  return nodes;
}

const broken = (lines, names) => inline(lines.join("\n"), names);

function inline(text, names) {
  const nodes = [];
  let from = 0;
  for (const match of text.matchAll(PIECES)) {
    nodes.push(entities(text.slice(from, match.index)), piece(match, names));
    from = match.index + match[0].length;
  }
  nodes.push(entities(text.slice(from)));
  return nodes.filter((one) => one !== "");
}

function piece([, block, code, reference, bold, italic, struck], names) {
  if (block !== undefined) return h("pre", {}, entities(block));
  if (code !== undefined) return h("code", { class: /^[▁-█]+$/.test(code) ? "bars" : null }, entities(code));
  if (reference !== undefined) return referred(reference, names);
  if (bold !== undefined) return h("strong", {}, ...inline(bold, names));
  if (italic !== undefined) return h("em", {}, ...inline(italic, names));
  return h("s", {}, ...inline(struck, names));
}

function referred(reference, names) {
  const [target, label] = reference.split("|");
  if (target.startsWith("@")) return h("span", { class: "mention" }, `@${names[target.slice(1)] ?? label ?? target.slice(1)}`);
  if (target.startsWith("#")) return h("span", { class: "mention" }, `#${label ?? target.slice(1)}`);
  const date = /^!date\^(\d+)\^/.exec(target);
  if (date) return h("time", {}, `${day(Number(date[1]))}, ${clock(Number(date[1]))}`);
  if (target.startsWith("!")) return h("span", { class: "mention" }, `@${label ?? target.slice(1)}`);
  // A real link would leave the sandbox, where this key does not exist.
  return h("span", { class: "link", title: entities(target) }, entities(label ?? target));
}

function entities(text) {
  return text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
}
