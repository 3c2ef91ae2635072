// Two figures for the chapter on P2GAN: the best law on three letters; two generators that push each other.
import { explorable, linspace, number } from "./canvas.js";

// ---- the objective: a sum over letters of functions of one mass each
const xlog = (a, b) => (a > 0 ? a * Math.log(b) : 0);
const js = (a, t) => xlog(a, (2 * a) / (a + t)) + xlog(t, (2 * t) / (a + t)); // 2 JSD at one letter

// What a mass t of letter x is worth; forces = [[weight, "js" or "kl", law], ...], a pull has a weight below 0.
export function gain(forces, x, t) {
  let value = 0,
    lead = 0; // the rate of -log t, which only KL has
  for (const [weight, name, law] of forces)
    if (name === "js") value += weight * js(law[x], t);
    else ((value += weight * xlog(law[x], law[x])), (lead += weight * law[x]));
  return Math.abs(lead) < 1e-12 ? value : value - lead * Math.log(t);
}
export const total = (forces, q) => q.reduce((sum, t, x) => sum + gain(forces, x, t), 0);

// the letter that a push pays to leave without limit, or -1
export const flight = (forces) =>
  forces[0][2].findIndex(
    (_, x) => forces.reduce((sum, [w, name, law]) => sum + (name === "kl" ? w * law[x] : 0), 0) > 1e-12,
  );

const N = 48; // the triangle is searched at shares in 48ths, then climbed
const SHIFTS = [0, 1, 2].flatMap((a) => [0, 1, 2].filter((b) => b !== a).map((b) => [a, b]));

// up from q by moving mass between two letters, in ever smaller steps
function climb(forces, q, close, step = 1 / N) {
  const gains = q.map((t, x) => gain(forces, x, t));
  while (step > close) {
    let most = 1e-15,
      move = null;
    for (const [a, b] of SHIFTS) {
      const d = Math.min(step, q[b]);
      if (d <= 0) continue;
      const more = gain(forces, a, q[a] + d) - gains[a],
        less = gain(forces, b, d === q[b] ? 0 : q[b] - d) - gains[b];
      if (more + less > most) ((most = more + less), (move = [a, b, d]));
    }
    if (!move) {
      step /= 2;
      continue;
    }
    const [a, b, d] = move;
    ((q[a] += d), (q[b] = d === q[b] ? 0 : q[b] - d));
    for (const x of [a, b]) gains[x] = gain(forces, x, q[x]);
  }
  return q;
}

// values on the grid, values[i][j] at shares (i, j, N - i - j) / N
export function survey(forces) {
  const table = [0, 1, 2].map((x) => Array.from({ length: N + 1 }, (_, k) => gain(forces, x, k / N)));
  return Array.from({ length: N + 1 }, (_, i) =>
    Array.from({ length: N - i + 1 }, (_, j) => table[0][i] + table[1][j] + table[2][N - i - j]),
  );
}

// The best law: every summit of the grid is climbed. Null where the objective is unbounded.
export function optimum(forces, values = survey(forces), close = 1e-10) {
  if (flight(forces) >= 0) return null;
  let best = null,
    height = -Infinity;
  for (let i = 0; i <= N; i++)
    for (let j = 0; j <= N - i; j++) {
      const v = values[i][j];
      const around = [
        [1, 0],
        [-1, 0],
        [0, 1],
        [0, -1],
        [1, -1],
        [-1, 1],
      ];
      if (!(v > -Infinity) || around.some(([a, b]) => values[i + a]?.[j + b] > v)) continue;
      const q = climb(forces, [i / N, j / N, (N - i - j) / N], close),
        value = total(forces, q);
      if (value > height + 1e-13) ((best = q), (height = value));
    }
  return best;
}

// ---- the triangle
const CORNERS = [
  [0, 0],
  [1, 0],
  [0.5, Math.sqrt(3) / 2],
];
const LETTERS = ["black", "blond", "green"];
const place = (q) => [0, 1].map((c) => q.reduce((sum, t, x) => sum + t * CORNERS[x][c], 0));

// the law at a place, brought back into the triangle; near an edge it snaps to it
export function lawAt(x, y) {
  const green = y / CORNERS[2][1],
    blond = x - green / 2;
  const inside = [1 - blond - green, blond, green].map((t) => (t < 0.015 ? 0 : Math.round(t * 200) / 200));
  const sum = inside.reduce((a, b) => a + b, 0);
  return inside.map((t) => t / sum);
}

const ALPHA_MAX = 3.5;
const PAIRS = {
  "js-js": "JS and JS (the paper's)",
  "kl-kl": "KL and KL",
  "kl-js": "pull KL, push JS",
  "js-kl": "pull JS, push KL",
};

// pull and pushes at a total weight alpha, shared evenly
function forcesOf(s, alpha) {
  const [pull, push] = s.kind.split("-");
  const sources = s.two ? [s.r, s.r2] : [s.r];
  return [[-1, pull, s.p], ...sources.map((law) => [alpha / sources.length, push, law])];
}

// the largest alpha at which the objective is bounded
function limit(s) {
  const [pull, push] = s.kind.split("-");
  if (push === "js") return Infinity;
  if (pull === "js") return 0;
  const pushed = forcesOf(s, 1).slice(1);
  return Math.min(...s.p.map((t, x) => t / pushed.reduce((sum, [w, , law]) => sum + w * law[x], 0)));
}

let pathKey = "",
  path = null;
function travel(s) {
  const key = JSON.stringify([s.p, s.r, s.r2, s.two, s.kind]);
  if (key === pathKey) return path;
  pathKey = key;
  const end = Math.min(limit(s), ALPHA_MAX);
  const alphas = end === 0 ? [0] : [...linspace(0, end, end < ALPHA_MAX ? 31 : 71)];
  path = alphas.map((alpha) => {
    const forces = forcesOf(s, alpha);
    return { alpha, q: optimum(forces, survey(forces), 1e-6) };
  });
  path = path.filter(({ q }) => q);
  return path;
}

const percent = (t) =>
  t > 0 && t < 0.0005 ? "under 0.1 %" : `${number(100 * t, t < 0.1 && t > 0 ? 1 : 0)} %`;
const listed = (q) => q.map((t, x) => `${percent(t)} ${LETTERS[x]}`).join(", ");

// what the push has done, in words
function verdict(s) {
  if (!s.q) return `unbounded: every step away from ${LETTERS[s.leaves]} pays, without limit`;
  if (s.alpha === 0) return "nothing: the best law is the data's";
  const stray = s.q.reduce((sum, t, x) => sum + (s.p[x] === 0 ? t : 0), 0);
  if (stray > 0.99) return "it has left the data's support";
  const some = [],
    [pull] = s.kind.split("-");
  s.q.forEach((t, x) => {
    if (s.p[x] === 0 || t > s.p[x] - 5e-4) return;
    const never = pull === "kl" || s.alpha < 1 || !(s.r[x] > 0 || (s.two && s.r2[x] > 0));
    if (t < 1e-7) some.push(`${LETTERS[x]} ${never && pull === "js" ? "thinned to a trace" : "removed"}`);
    else some.push(`${LETTERS[x]} thinned to ${number(t / s.p[x], 2)} of its share`);
  });
  return some.join(", ") || "next to nothing";
}

function weigh({ p, r, r2, ...rest }) {
  const s = { ...rest, p, r, r2 },
    forces = forcesOf(s, s.alpha),
    values = survey(forces),
    q = optimum(forces, values);
  const found = { p, r, r2, values, q, leaves: flight(forces), path: travel(s), limit: limit(s) };
  return { ...found, value: q ? total(forces, q) : Infinity, atData: total(forces, p) };
}

// level lines, as one broken polyline: each small triangle is cut where the level passes
function level(values, height) {
  const xs = [],
    ys = [];
  const cut = (nodes) => {
    const ends = [];
    for (let k = 0; k < 3; k++) {
      const [a, b] = [nodes[k], nodes[(k + 1) % 3]];
      const [u, v] = [a, b].map(([i, j]) => values[i][j] - height);
      if (u < 0 === v < 0 || !Number.isFinite(u) || !Number.isFinite(v)) continue;
      const t = u / (u - v),
        at = [a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1])];
      ends.push(place([at[0] / N, at[1] / N, (N - at[0] - at[1]) / N]));
    }
    if (ends.length === 2) (xs.push(ends[0][0], ends[1][0], NaN), ys.push(ends[0][1], ends[1][1], NaN));
  };
  for (let i = 0; i < N; i++)
    for (let j = 0; i + j < N; j++) {
      cut([
        [i, j],
        [i + 1, j],
        [i, j + 1],
      ]);
      if (i + j + 2 <= N)
        cut([
          [i + 1, j],
          [i, j + 1],
          [i + 1, j + 1],
        ]);
    }
  return [xs, ys];
}

// a line through laws; where the optimum jumps, a dashed one
function trail(plot, laws, style) {
  const at = laws.map(place);
  for (let k = 1; k < at.length; k++) {
    const [a, b] = [at[k - 1], at[k]],
      far = Math.hypot(a[0] - b[0], a[1] - b[1]) > 0.2;
    plot.line([a[0], b[0]], [a[1], b[1]], far ? { ...style, width: 1.5, dash: [3, 5] } : style);
  }
}

function drawTriangle(plot, s) {
  const [xs, ys] = [0, 1].map((c) => [...CORNERS, CORNERS[0]].map((at) => at[c]));
  const finite = s.values.flat().filter(Number.isFinite);
  const top = s.q ? s.value : Math.max(...finite);
  for (const below of [0.003, 0.01, 0.03, 0.07, 0.14, 0.25, 0.4, 0.6, 0.9, 1.3])
    plot.line(...level(s.values, top - below), { colour: "muted", width: 1, alpha: 0.55 });
  plot.line(xs, ys, { colour: "ink", width: 1.5 });
  LETTERS.forEach((name, x) => {
    const [cx, cy] = CORNERS[x];
    plot.text(cx, cy, name, { align: "center", dy: x === 2 ? -14 : 18, bold: true });
  });
  const passed = s.path.filter((step) => step.alpha < s.alpha).map((step) => step.q);
  const ahead = s.path.filter((step) => step.alpha > s.alpha).map((step) => step.q);
  trail(plot, s.q ? [s.q, ...ahead] : ahead, { colour: "generated", width: 2, alpha: 0.35 });
  trail(plot, s.q ? [...passed, s.q] : passed, { colour: "generated", width: 3.5 });
  if (s.q) plot.points(place(s.q), { colour: "generated", size: 11, ring: true, alpha: 1 });
  if (s.q) plot.points(place(s.q), { colour: "generated", size: 5, alpha: 1 });
}

function drawShares(plot, s) {
  const alphas = s.path.map((step) => step.alpha);
  const styles = [
    { colour: "ink", width: 2.5 },
    { colour: "extra", width: 2.5, dash: [9, 4] },
    { colour: "discriminator", width: 2.5, dash: [2, 4] },
  ];
  if (s.limit < ALPHA_MAX) {
    plot.area([s.limit, ALPHA_MAX], [1, 1], { colour: "muted", alpha: 0.18 });
    plot.text((s.limit + ALPHA_MAX) / 2, 0.8, "unbounded", { colour: "ink", align: "center" });
  }
  plot.vline(s.alpha, { colour: "muted", width: 1.5 });
  LETTERS.forEach((name, x) => {
    const shares = s.path.map((step) => step.q[x]);
    plot.line(alphas, shares, styles[x]);
    // a short curve is named at its end, a long one at its summit
    const short = s.limit < ALPHA_MAX,
      at = short ? shares.length - 1 : shares.indexOf(Math.max(...shares));
    const align = !short && at > 0.7 * (shares.length - 1) ? "right" : "left";
    const dy = short && shares[at] > 0.05 ? 0 : shares[at] > 0.9 ? 10 : -9;
    const words = { colour: styles[x].colour, align, dx: align === "left" ? 6 : -6, dy, bold: true };
    plot.text(alphas[at], shares[at], name, words);
    if (s.q) plot.points([s.alpha, s.q[x]], { colour: styles[x].colour, size: 4, alpha: 1 });
  });
}

const LAWS = { p: [0.45, 0.4, 0.15], r: [0.85, 0.1, 0.05], r2: [0.1, 0.85, 0.05] };
const START = { ...LAWS, two: false, kind: "js-js", alpha: 0.6 };
const SCENES = {
  "Two hair colours": { p: [0.5, 0.5, 0], r: [1, 0, 0], two: false, kind: "js-js", alpha: 0.5 },
  "A push too hard": { p: [0.5, 0.5, 0], r: [0.9, 0.1, 0], two: false, kind: "js-js", alpha: 3 },
  "Un-mixing": { p: [0.5, 0.3, 0.2], r: [0.85, 0.1, 0.05], two: false, kind: "kl-kl", alpha: 0.4 },
};

export default function p2gan(root) {
  const handle = (id, colour, shown = () => true) => ({
    x: (s) => (shown(s) ? place(s[id])[0] : -99),
    y: (s) => (shown(s) ? place(s[id])[1] : -99),
    colour,
    move: (x, y) => ({ [id]: lawAt(x, y) }),
  });
  explorable(root, {
    title: "Pulled by the data, pushed by a source: the best law on three hair colours",
    legend: [
      ["data", "data, which pull", "dot"],
      ["other", "sources, which push", "dot"],
      ["generated", "the best law, and its way as the push grows", "ring"],
      ["muted", "heights of the objective"],
    ],
    controls: [
      { id: "alpha", label: "push α", min: 0, max: ALPHA_MAX, step: 0.01, value: START.alpha },
      {
        id: "kind",
        label: "forces",
        type: "select",
        options: Object.entries(PAIRS).map(([value, label]) => ({ value, label })),
        value: "js-js",
      },
      { id: "two", label: "a second source (they share α)", type: "check", value: false },
      ...Object.entries(SCENES).map(([label, scene]) => ({
        id: label,
        label,
        type: "button",
        press: (s, set) => set(scene),
      })),
      {
        id: "reset",
        label: "Back to the start",
        type: "button",
        press: (s, set) => set(START),
      },
    ],
    derive: (s) => weigh({ ...LAWS, ...s }),
    plots: [
      {
        title: "all laws on three colours; drag the points",
        alt: "A triangle of laws with the data and the source as points, level lines of the objective and the path of its maximum",
        xlim: [-0.1, 1.1],
        ylim: [-0.12, 0.98],
        equal: true,
        axes: false,
        draw: drawTriangle,
        handles: [handle("p", "data"), handle("r", "other"), handle("r2", "other", (s) => s.two)],
      },
      {
        title: "shares of the best law against the push",
        alt: "The shares of the three colours in the best law, as curves over alpha",
        xlim: [0, ALPHA_MAX],
        ylim: [0, 1],
        aspect: 0.8,
        xlabel: "α",
        ylabel: "share",
        draw: drawShares,
      },
    ],
    readout: (s) => [
      ["best law", s.q ? listed(s.q) : "none", "generated"],
      ["what the push did", verdict(s)],
      ["objective there", s.value, "generated"],
      ["at the data", s.atData, "data"],
    ],
    values: (s) => ({ q: s.q, value: s.value, limit: s.limit, verdict: verdict(s), path: s.path }),
  });
}

// ---- two generators, one pushed by the auxiliary source and one pulled by it, and each pushed by the other

const BETA_MAX = 0.6;
const pairValue = (forces, t) => total(forces, [t, 1 - t]);

// the share of black in [0, 1] that is worth most: the best of a grid, then golden section beside it
export function bestShare(forces, n = 80) {
  const values = Array.from({ length: n + 1 }, (_, k) => pairValue(forces, k / n));
  const k = values.indexOf(Math.max(...values)),
    golden = (Math.sqrt(5) - 1) / 2;
  let [a, b] = [Math.max(0, k - 1) / n, Math.min(n, k + 1) / n];
  const ends = [a, b];
  let c = b - golden * (b - a),
    d = a + golden * (b - a),
    [fc, fd] = [pairValue(forces, c), pairValue(forces, d)];
  while (b - a > 1e-8)
    if (fc >= fd) ((b = d), (d = c), (fd = fc), (c = b - golden * (b - a)), (fc = pairValue(forces, c)));
    else ((a = c), (c = d), (fc = fd), (d = a + golden * (b - a)), (fd = pairValue(forces, d)));
  const middle = (a + b) / 2;
  return [middle, ...ends].reduce((best, t) => (pairValue(forces, t) > pairValue(forces, best) ? t : best));
}

const two = (t) => [t, 1 - t];
const answerFirst = (s, second, beta = s.beta) =>
  bestShare([
    [-1, "js", two(s.data)],
    [beta, "js", two(s.aux)],
    [beta, "js", two(second)],
  ]);
const answerSecond = (s, first, beta = s.beta) =>
  bestShare([
    [-1, "js", two(s.data)],
    [-s.gamma, "js", two(s.aux)],
    [beta, "js", two(first)],
  ]);

// They answer each other in turn: all shares [first, second] on the way, from a second generator's share on.
export function settle(s, start, beta = s.beta, close = 1e-7) {
  const way = [];
  let second = start;
  for (let turn = 0; turn < 400; turn++) {
    const first = answerFirst(s, second, beta),
      next = answerSecond(s, first, beta);
    way.push([first, second], [first, next]);
    const last = way.at(-3);
    second = next;
    if (last && Math.max(Math.abs(last[0] - first), Math.abs(last[1] - next)) < close) break;
  }
  return way;
}

let sweepKey = "",
  sweep = null;
function sweepBeta(s) {
  const key = [s.gamma, s.data, s.aux].join();
  if (key === sweepKey) return sweep;
  sweepKey = key;
  sweep = [...linspace(0, BETA_MAX, 31)].map((beta) => [beta, ...settle(s, s.data, beta, 1e-4).at(-1)]);
  return sweep;
}

const shares = linspace(0, 1, 41);
function settled(s) {
  const start = s.start ?? s.data,
    way = settle(s, start);
  const answers = [[...shares].map((y) => answerFirst(s, y)), [...shares].map((x) => answerSecond(s, x))];
  return { start, way, answers, first: way.at(-1)[0], second: way.at(-1)[1], sweep: sweepBeta(s) };
}

const hair = (t) => `${number(100 * t, 1)} % black, ${number(100 - 100 * t, 1)} % blond`;
function outcome(s) {
  const moved = s.data - s.first;
  if (s.first < 0.1) return "it is nearly all blond";
  if (s.first < 0.5 * s.data) return "it is mostly without the unwanted class";
  return moved < 0.05 ? "next to nothing" : "thinned the unwanted class, no more";
}

export function pair(root) {
  const start = { gamma: 0.1, beta: 0.01, data: 0.5, aux: 1, start: 0.5 };
  explorable(root, {
    title: "Two generators, one auxiliary source of black hair: what they settle on",
    legend: [
      ["generated", "G_1, pushed by the source"],
      ["other", "G_2, pulled by it", "dash"],
      ["muted", "answering each other"],
      ["data", "share in the data", "dash"],
    ],
    controls: [
      { id: "beta", label: "push β", min: 0, max: BETA_MAX, step: 0.01, value: start.beta },
      { id: "gamma", label: "pull γ of the source on G_2", min: 0, max: 1, step: 0.01, value: start.gamma },
      { id: "data", label: "black hair in the data", min: 0.1, max: 0.9, step: 0.01, value: start.data },
      { id: "aux", label: "black hair in the source", min: 0.5, max: 1, step: 0.01, value: start.aux },
      {
        id: "strong",
        label: "A push that works",
        type: "button",
        press: (s, set) => set({ ...start, beta: 0.3 }),
      },
      { id: "reset", label: "The paper's weights", type: "button", press: (s, set) => set(start) },
    ],
    derive: settled,
    plots: [
      {
        title: "best answers: where the curves cross, neither moves",
        alt: "The best answer of each generator to the other, and the staircase of turns to the crossing",
        xlim: [0, 1],
        ylim: [0, 1],
        equal: true,
        xlabel: "black hair of G_1",
        ylabel: "black hair of G_2",
        draw(plot, s) {
          plot.line([s.data, s.data], [0, 1], { colour: "data", width: 1.5, dash: [3, 4] });
          plot.line([0, 1], [s.data, s.data], { colour: "data", width: 1.5, dash: [3, 4] });
          plot.line(s.answers[0], shares, { colour: "generated", width: 2.5 });
          plot.line(shares, s.answers[1], { colour: "other", width: 2.5, dash: [9, 4] });
          const way = [[s.data, s.start], ...s.way];
          const [xs, ys] = [0, 1].map((c) => way.map((at) => at[c]));
          plot.line(xs, ys, { colour: "muted", width: 1.5 });
          plot.points([s.first, s.second], { colour: "ink", size: 6, alpha: 1 });
        },
        handles: [
          {
            x: (s) => s.data,
            y: (s) => s.start,
            colour: "muted",
            move: (x, y) => ({ start: Math.min(1, Math.max(0, y)) }),
          },
        ],
      },
      {
        title: "where they settle, against β",
        alt: "The shares of black hair of both generators at rest, as curves over the push beta",
        xlim: [0, BETA_MAX],
        ylim: [0, 1],
        aspect: 0.8,
        xlabel: "β",
        ylabel: "black hair",
        draw(plot, s) {
          const [betas, firsts, seconds] = [0, 1, 2].map((c) => s.sweep.map((row) => row[c]));
          plot.hline(s.data, { colour: "data", width: 1.5, dash: [3, 4] });
          plot.vline(s.beta, { colour: "muted" });
          plot.line(betas, firsts, { colour: "generated", width: 2.5 });
          plot.line(betas, seconds, { colour: "other", width: 2.5, dash: [9, 4] });
          plot.points([s.beta, s.first], { colour: "generated", size: 5, alpha: 1 });
          plot.points([s.beta, s.second], { colour: "other", size: 5, alpha: 1 });
        },
      },
    ],
    readout: (s) => [
      ["G_1", hair(s.first), "generated"],
      ["G_2", hair(s.second), "other"],
      ["what the forces did to G_1", outcome(s)],
      ["turns", String(s.way.length / 2)],
    ],
    values: (s) => ({ first: s.first, second: s.second, turns: s.way.length / 2, sweep: s.sweep }),
  });
}
