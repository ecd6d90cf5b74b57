// One workload's spend as a line: its own scale, and a mark where Governor disabled the key.

import { svg, usd } from "./dom.js";

const WIDTH = 240;
const HEIGHT = 36;
const WINDOW_SECONDS = 2 * 3600;

/** `at`: epoch seconds; `rates`: USD an hour; `marks`: epoch seconds; `now`: where the line ends. */
export function sparkline(name, at, rates, marks, now) {
  const first = now - WINDOW_SECONDS;
  const shown = at.map((second, place) => [second, rates[place]]).filter(([second]) => second >= first);
  const peak = Math.max(0, ...shown.map(([, rate]) => rate));
  const x = (second) => ((second - first) / WINDOW_SECONDS) * WIDTH;
  const y = (rate) => HEIGHT - 3 - (peak > 0 ? (rate / peak) * (HEIGHT - 8) : 0);
  // A reading is the mean of the time since the one before it, so the line goes in steps.
  const points = shown.flatMap(([second, rate], place) => {
    const from = place ? shown[place - 1][0] : second - 60;
    return [`${x(from).toFixed(1)},${y(rate).toFixed(1)}`, `${x(second).toFixed(1)},${y(rate).toFixed(1)}`];
  });
  const current = shown.length ? shown[shown.length - 1][1] : 0;
  const label = `${name}: ${usd(current)} an hour now, ${usd(peak)} an hour at most in the last two hours`;
  const drawing = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "line", role: "img", "aria-label": label, preserveAspectRatio: "none" });
  drawing.append(svg("line", { x1: 0, x2: WIDTH, y1: HEIGHT - 3, y2: HEIGHT - 3, class: "base" }));
  if (points.length > 1) {
    const start = points[0].split(",")[0];
    const end = x(shown[shown.length - 1][0]).toFixed(1);
    drawing.append(svg("polygon", { points: `${start},${HEIGHT - 3} ${points.join(" ")} ${end},${HEIGHT - 3}`, class: "area" }));
    drawing.append(svg("polyline", { points: points.join(" "), class: "stroke" }));
  }
  for (const mark of marks.filter((second) => second >= first)) {
    drawing.append(svg("line", { x1: x(mark), x2: x(mark), y1: 2, y2: HEIGHT - 3, class: "mark" }));
  }
  return { drawing, current, peak };
}
