// Who one is on this page, and what people are called.

import { find, h, keyed } from "./dom.js";

/** First names by user id. */
export const names = {};

export const person = () => find("person").value;

export function take(people) {
  for (const one of people) names[one.id] = one.name.split(" ")[0];
  const chosen = person();
  keyed(find("person"), people, (one) => one.id, (one) => h("option", { value: one.id }, `${one.name}, ${one.role}`));
  if (chosen) find("person").value = chosen;
}
