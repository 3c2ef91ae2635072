// Two figures for the chapter on f-divergences: Fenchel-Young at a place and over the line; one Gaussian for two bumps.
import { explorable, linspace } from "./canvas.js";

const LOG2 = Math.LN2;
const logNormal = (x, mean, sd) => -(((x - mean) / sd) ** 2) / 2 - Math.log(sd * Math.sqrt(2 * Math.PI));
const logAdd = (a, b) => Math.max(a, b) + Math.log1p(Math.exp(-Math.abs(a - b)));
const logSigmoid = (v) => Math.min(v, 0) - Math.log1p(Math.exp(-Math.abs(v)));
const xlogx = (u) => (u > 0 ? u * Math.log(u) : 0);

// 2 JSD at a point: p log(p/m) + q log(q/m)
function twoJsd(lp, lq) {
  const lm = logAdd(lp, lq) - LOG2;
  return Math.exp(lp) * (lp - lm) + Math.exp(lq) * (lq - lm);
}

// Each row: f, f', the conjugate f*, the activation g, f*(g(v)), the score of an even critic, f(1), and
// the integrand q f(p/q) from log p and log q
export const ROWS = {
  kl: {
    label: "KL",
    f: xlogx,
    slope: (u) => 1 + Math.log(u),
    conjugate: (t) => Math.exp(t - 1),
    g: (v) => v,
    fake: (v) => Math.exp(v - 1),
    even: 1,
    atOne: 0,
    term: (lp, lq) => Math.exp(lp) * (lp - lq),
  },
  reverse_kl: {
    label: "reverse KL",
    f: (u) => -Math.log(u),
    slope: (u) => -1 / u,
    conjugate: (t) => -1 - Math.log(-t),
    g: (v) => -Math.exp(-v),
    fake: (v) => v - 1,
    even: 0,
    atOne: 0,
    term: (lp, lq) => Math.exp(lq) * (lq - lp),
  },
  pearson: {
    label: "Pearson χ²",
    f: (u) => (u - 1) ** 2,
    slope: (u) => 2 * (u - 1),
    conjugate: (t) => Math.max(t / 2 + 1, 0) ** 2 - 1,
    g: (v) => v,
    fake: (v) => Math.max(v / 2 + 1, 0) ** 2 - 1,
    even: 0,
    atOne: 0,
    term: (lp, lq) => Math.exp(2 * lp - lq) - 2 * Math.exp(lp) + Math.exp(lq),
  },
  hellinger: {
    label: "squared Hellinger",
    f: (u) => (Math.sqrt(u) - 1) ** 2,
    slope: (u) => 1 - 1 / Math.sqrt(u),
    conjugate: (t) => t / (1 - t),
    g: (v) => -Math.expm1(-v),
    fake: Math.expm1,
    even: 0,
    atOne: 0,
    term: (lp, lq) => (Math.exp(lp / 2) - Math.exp(lq / 2)) ** 2,
  },
  js: {
    label: "2 JSD (“JS” of f-GAN)",
    f: (u) => xlogx(u) - (u + 1) * Math.log((u + 1) / 2),
    slope: (u) => LOG2 - Math.log1p(1 / u),
    conjugate: (t) => -LOG2 - Math.log(-Math.expm1(t - LOG2)),
    g: (v) => LOG2 + logSigmoid(v),
    fake: (v) => -LOG2 - logSigmoid(-v),
    even: 0,
    atOne: 0,
    term: twoJsd,
  },
  jsd: {
    label: "JSD",
    f: (u) => (xlogx(u) - (u + 1) * Math.log((u + 1) / 2)) / 2,
    slope: (u) => (LOG2 - Math.log1p(1 / u)) / 2,
    conjugate: (t) => (-LOG2 - Math.log(-Math.expm1(2 * t - LOG2))) / 2,
    g: (v) => (LOG2 + logSigmoid(v)) / 2,
    fake: (v) => (-LOG2 - logSigmoid(-v)) / 2,
    even: 0,
    atOne: 0,
    term: (lp, lq) => twoJsd(lp, lq) / 2,
  },
  gan: {
    label: "GAN (2 JSD − log 4)",
    f: (u) => xlogx(u) - (u + 1) * Math.log1p(u),
    slope: (u) => -Math.log1p(1 / u),
    conjugate: (t) => -Math.log(-Math.expm1(t)),
    g: logSigmoid,
    fake: (v) => -logSigmoid(-v),
    even: 0,
    atOne: -2 * LOG2,
    term: (lp, lq) => twoJsd(lp, lq) - LOG2 * (Math.exp(lp) + Math.exp(lq)),
  },
  tv: {
    label: "total variation",
    f: (u) => Math.abs(u - 1) / 2,
    slope: (u) => Math.sign(u - 1) / 2,
    conjugate: (t) => (t <= 0.5 ? Math.max(t, -0.5) : Infinity),
    g: (v) => Math.tanh(v) / 2,
    fake: (v) => Math.tanh(v) / 2,
    even: 0,
    atOne: 0,
    term: (lp, lq) => Math.abs(Math.exp(lp) - Math.exp(lq)) / 2,
  },
};
const options = Object.entries(ROWS).map(([value, row]) => ({ value, label: row.label }));
const clamp = (v, lo, hi) => Math.min(hi, Math.max(lo, v));

// Quasi-Newton descent (BFGS) in two variables with differences for the gradient; the points on the way down
export function descend(f, start, h = 0.01, most = 80) {
  const slope = ([a, b]) => [
    (f([a + h, b]) - f([a - h, b])) / (2 * h),
    (f([a, b + h]) - f([a, b - h])) / (2 * h),
  ];
  let x = start,
    fx = f(x),
    g = slope(x),
    H = [1, 0, 1];
  const path = [x];
  for (let k = 0; k < most && Math.hypot(...g) > 1e-5; k++) {
    let d = [-(H[0] * g[0] + H[1] * g[1]), -(H[1] * g[0] + H[2] * g[1])];
    if (!(d[0] * g[0] + d[1] * g[1] < 0)) ((H = [1, 0, 1]), (d = [-g[0], -g[1]]));
    const size = Math.hypot(...d);
    let step = Math.min(1, 0.25 / size),
      next,
      fn;
    for (; step > 1e-7; step /= 2) {
      next = [x[0] + step * d[0], x[1] + step * d[1]];
      fn = f(next);
      if (fn < fx + 1e-4 * step * (d[0] * g[0] + d[1] * g[1])) break;
    }
    if (step <= 1e-7) break;
    const gn = slope(next),
      s = [next[0] - x[0], next[1] - x[1]],
      y = [gn[0] - g[0], gn[1] - g[1]],
      sy = s[0] * y[0] + s[1] * y[1];
    if (sy > 1e-12) {
      const Hy = [H[0] * y[0] + H[1] * y[1], H[1] * y[0] + H[2] * y[1]],
        c = (1 + (y[0] * Hy[0] + y[1] * Hy[1]) / sy) / sy;
      H = [
        H[0] + c * s[0] * s[0] - (2 * s[0] * Hy[0]) / sy,
        H[1] + c * s[0] * s[1] - (s[0] * Hy[1] + s[1] * Hy[0]) / sy,
        H[2] + c * s[1] * s[1] - (2 * s[1] * Hy[1]) / sy,
      ];
    }
    ((x = next), (fx = fn), (g = gn));
    path.push(x);
  }
  return path;
}

// ---- the bound --------------------------------------------------------------------------------------------

const AT = 2; // the critic's handles stand at x = -2 and x = 2
const xs = linspace(-20, 20, 3201);
const STEP = xs[1] - xs[0];
const sum = (f) => {
  let total = 0;
  for (let i = 0; i < xs.length; i++) total += f(i);
  return total * STEP;
};
const lineOf = (s) => (x) => (s.left + s.right) / 2 + ((s.right - s.left) / (2 * AT)) * x;

// the score whose activation is t, within the controls' reach
export function scoreOf(row, t) {
  let lo = -4,
    hi = 4;
  for (let k = 0; k < 40; k++) row.g((lo + hi) / 2) < t ? (lo = (lo + hi) / 2) : (hi = (lo + hi) / 2);
  return (lo + hi) / 2;
}

function boundOf(row, p, q, score) {
  return sum((i) => {
    const v = score(xs[i]);
    return (p[i] > 0 ? p[i] * row.g(v) : 0) - (q[i] > 0 ? q[i] * row.fake(v) : 0);
  });
}

function weigh(s) {
  const row = ROWS[s.name],
    score = lineOf(s);
  const lp = xs.map((x) => logNormal(x, s.meanP, s.sdP)),
    lq = xs.map((x) => logNormal(x, s.meanQ, s.sdQ));
  const p = lp.map(Math.exp),
    q = lq.map(Math.exp);
  const value =
    s.name === "pearson" && s.sdP ** 2 >= 2 * s.sdQ ** 2 ? Infinity : sum((i) => row.term(lp[i], lq[i]));
  const bound = boundOf(row, p, q, score);
  // what is lost at each place: q [f(u) + f*(T)] - p T
  const lost = xs.map((x, i) =>
    Math.max(0, row.term(lp[i], lq[i]) + q[i] * row.fake(score(x)) - p[i] * row.g(score(x))),
  );
  const u = Math.exp(logNormal(s.x, s.meanP, s.sdP) - logNormal(s.x, s.meanQ, s.sdQ)),
    t = row.g(score(s.x));
  const gap = row.f(u) + row.fake(score(s.x)) - u * t;
  const best = xs.map((_, i) => row.slope(Math.exp(lp[i] - lq[i])));
  return { row, lp, lq, p, q, value, bound, lost, u, t, gap, best, critic: xs.map((x) => row.g(score(x))) };
}

const widest = (s) => Math.max(3, Math.min(1.25 * s.u, 30));
const near = linspace(0, 1, 301);

// room for f and its line on the plot: from the lower of both at u to the higher end of f
function room(s) {
  const top = widest(s),
    ys = near.map((k) => s.row.f(k * top)).filter(Number.isFinite);
  const line = s.u * s.t - s.row.fake(lineOf(s)(s.x));
  const lo = Math.min(...ys, Math.max(line, Math.min(...ys) - 2)),
    hi = Math.min(Math.max(...ys), Math.max(3, s.row.f(Math.min(s.u, top)) * 1.3));
  return [lo - 0.1 * (hi - lo), hi + 0.1 * (hi - lo)];
}

const around = (s) => {
  const inside = [...s.best, ...s.critic].filter(
    (t, i) => Math.abs(xs[i % xs.length]) < 3 && Number.isFinite(t),
  );
  const lo = clamp(Math.min(...inside), -5, 0),
    hi = clamp(Math.max(...inside), 0.2, 5);
  return [lo - 0.15 * (hi - lo), hi + 0.15 * (hi - lo)];
};

export default function fdivergence(root) {
  const start = { meanP: 0, sdP: 1, meanQ: 1, sdQ: 1, x: -0.5, left: 2.6, right: 0.2 };
  explorable(root, {
    title: "A divergence, place by place: f, its lines, and your critic",
    legend: [
      ["data", "p, the data", "area"],
      ["generated", "q, the generator", "area"],
      ["discriminator", "T^*, the best critic", "dash"],
      ["other", "T, yours"],
      ["muted", "what it loses", "area"],
    ],
    controls: [
      { id: "name", label: "divergence", type: "select", options, value: "kl" },
      { id: "x", label: "place x", min: -4, max: 4, step: 0.05, value: start.x },
      { id: "left", label: "score of your critic at −2", min: -4, max: 4, step: 0.05, value: start.left },
      { id: "right", label: "score of your critic at 2", min: -4, max: 4, step: 0.05, value: start.right },
      { id: "meanP", label: "mean of p", min: -3, max: 3, step: 0.05, value: 0 },
      { id: "sdP", label: "spread of p", min: 0.5, max: 2, step: 0.05, value: 1 },
      { id: "meanQ", label: "mean of q", min: -3, max: 3, step: 0.05, value: 1 },
      { id: "sdQ", label: "spread of q", min: 0.5, max: 2, step: 0.05, value: 1 },
      {
        id: "learn",
        label: "Best straight score",
        type: "button",
        title: "the best of all critics whose score is a straight line (within the controls' reach)",
        press: (s, set) => {
          const loss = ([left, right]) => -boundOf(s.row, s.p, s.q, lineOf({ left, right }));
          const [left, right] = descend(loss, [s.left, s.right], 1e-3).at(-1);
          set({ left: clamp(left, -4, 4), right: clamp(right, -4, 4) });
        },
      },
      { id: "reset", label: "Back to the start", type: "button", press: (s, set) => set(start) },
    ],
    derive: weigh,
    plots: [
      {
        title: "f, and the line that your critic chooses",
        alt: "A convex function f of the ratio u, a straight line of slope t below it, and the gap between them at u",
        xlim: (s) => [0, widest(s)],
        ylim: room,
        xlabel: "u = p(x) / q(x)",
        ylabel: "f(u)",
        draw(plot, s) {
          const us = near.map((k) => Math.max(k * widest(s), 1e-4));
          const base = s.row.fake(lineOf(s)(s.x));
          plot.line(us, us.map(s.row.f), { colour: "ink", width: 2.5 });
          plot.line(
            us,
            us.map((u) => u * s.t - base),
            { colour: "other" },
          );
          const high = s.row.f(s.u);
          plot.line([s.u, s.u], [high - s.gap, high], { colour: "muted", width: 5 });
          plot.points([s.u, high], { colour: "ink", size: 4, alpha: 1 });
          plot.points([s.u, high - s.gap], { colour: "other", size: 4, alpha: 1 });
        },
      },
      {
        title: "critics: the best, and yours",
        alt: "The optimal critic and the reader's own over the line, with both densities drawn faintly below",
        xlim: [-4, 4],
        ylim: around,
        xlabel: "x",
        ylabel: "T(x)",
        draw(plot, s) {
          const [low, high] = around(s);
          const lift = (d) => d.map((v) => low + v * (high - low) * 0.6);
          plot.area(xs, lift(s.p), { base: low, colour: "data" });
          plot.area(xs, lift(s.q), { base: low, colour: "generated" });
          plot.hline(s.row.g(s.row.even), { colour: "muted", width: 1, dash: [2, 4] });
          plot.text(-3.95, s.row.g(s.row.even), "f ′(1)", { colour: "muted", dy: -8 });
          plot.vline(s.x, { colour: "muted", width: 1 });
          plot.line(xs, s.best, { colour: "discriminator", dash: [7, 5], width: 2.5 });
          plot.line(xs, s.critic, { colour: "other" });
        },
        handles: [
          {
            x: () => -AT,
            y: (s) => s.row.g(s.left),
            colour: "other",
            move: (x, y, s) => ({ left: scoreOf(s.row, y) }),
          },
          {
            x: () => AT,
            y: (s) => s.row.g(s.right),
            colour: "other",
            move: (x, y, s) => ({ right: scoreOf(s.row, y) }),
          },
          {
            x: (s) => s.x,
            y: (s) => around(s)[1] * 0.9 + around(s)[0] * 0.1,
            colour: "ink",
            move: (x) => ({ x }),
          },
        ],
      },
      {
        title: "what your critic loses, place by place",
        alt: "Both densities, and the area between the value of the divergence and the bound, spread over the line",
        xlim: [-4, 4],
        ylim: (s) => [0, 1.1 * Math.max(0.45, ...s.p, ...s.q)],
        xlabel: "x",
        ylabel: "density; loss",
        draw(plot, s) {
          plot.line(xs, s.p, { colour: "data" });
          plot.line(xs, s.q, { colour: "generated" });
          plot.area(xs, s.lost, { colour: "muted", alpha: 0.5 });
          plot.line(xs, s.lost, { colour: "muted", width: 1.5 });
          plot.vline(s.x, { colour: "muted", width: 1 });
        },
        handles: [
          {
            x: (s) => s.meanP,
            y: (s) => Math.exp(logNormal(0, 0, s.sdP)) * 0.8,
            colour: "data",
            move: (x) => ({ meanP: x }),
          },
          {
            x: (s) => s.meanQ,
            y: (s) => Math.exp(logNormal(0, 0, s.sdQ)) * 0.6,
            colour: "generated",
            move: (x) => ({ meanQ: x }),
          },
        ],
      },
    ],
    readout: (s) => [
      ["D_f(P ‖ Q)", s.value, "discriminator"],
      ["bound of your T", s.bound, "other"],
      ["lost", s.value - s.bound],
      ["at x: u", s.u],
      ["t = T(x)", s.t, "other"],
      ["f(u) + f*(t) − ut", s.gap],
    ],
    values: (s) => ({
      value: s.value,
      bound: s.bound,
      u: s.u,
      t: s.t,
      gap: s.gap,
      left: s.left,
      right: s.right,
    }),
  });
}

// ---- one Gaussian for two bumps ---------------------------------------------------------------------------

const ws = linspace(-9, 10, 1901);
const WIDTH = ws[1] - ws[0];
const BOX = [-2.5, 3.5, 0.3, 2.6]; // means and deviations that are shown
const SHOWN = [
  ["reverse_kl", "rKL"],
  ["tv", "TV"],
  ["hellinger", "H²"],
  ["js", "JS"],
  ["kl", "KL"],
  ["pearson", "χ²"],
];
const logBumps = (s) =>
  ws.map((x) =>
    logAdd(Math.log(s.weight) + logNormal(x, s.a, s.sd), Math.log(1 - s.weight) + logNormal(x, s.b, s.sd)),
  );

// D_f of the data from N(mean, deviation^2); Pearson's is infinite for too narrow a model
export function between(name, lp, sd, mean, deviation, every = 1) {
  if (name === "pearson" && 2 * deviation ** 2 <= sd ** 2) return Infinity;
  const term = ROWS[name].term;
  let total = 0;
  for (let i = 0; i < ws.length; i += every) total += term(lp[i], logNormal(ws[i], mean, deviation));
  return total * WIDTH * every;
}

// smooth integrands need few points
const target =
  (name, lp, sd, every = name === "tv" ? 1 : 3) =>
  ([m, l]) =>
    between(name, lp, sd, m, Math.exp(l), every);

// the best Gaussian of every divergence: the lowest of three descents
let bumpsKey = "",
  minima = {};
function allMinima(s, lp) {
  const key = [s.weight, s.a, s.b, s.sd].join();
  if (key === bumpsKey) return minima;
  bumpsKey = key;
  minima = {};
  const mean = s.weight * s.a + (1 - s.weight) * s.b,
    deviation = Math.sqrt(s.sd ** 2 + s.weight * (1 - s.weight) * (s.b - s.a) ** 2);
  for (const [name] of SHOWN) {
    const f = target(name, lp, s.sd);
    const ends = [
      [mean, deviation],
      [s.a, 1.1 * s.sd],
      [s.b, 1.1 * s.sd],
    ].map(([m, d]) => descend(f, [m, Math.log(d)]).at(-1));
    const [m, l] = ends.reduce((best, end) => (f(end) < f(best) ? end : best));
    minima[name] = { mean: m, deviation: Math.exp(l) };
  }
  minima.jsd = minima.gan = minima.js; // one minimiser for all three normalisations
  return minima;
}

const NX = 41,
  NY = 32;
let mapKey = "",
  map = null;
function landscape(s, lp) {
  const key = [s.name, s.weight, s.a, s.b, s.sd].join();
  if (key === mapKey) return map;
  mapKey = key;
  const values = new Float64Array(NX * NY);
  for (let j = 0; j < NY; j++)
    for (let i = 0; i < NX; i++) {
      const m = BOX[0] + ((BOX[1] - BOX[0]) * i) / (NX - 1),
        d = BOX[2] + ((BOX[3] - BOX[2]) * j) / (NY - 1);
      values[j * NX + i] = Math.min(between(s.name, lp, s.sd, m, d, 8), 1e3);
    }
  return (map = values);
}

export function fit(root) {
  const start = { a: -1, b: 2, weight: 0.7, sd: 0.6, mean: 0, deviation: 1, path: null };
  explorable(root, {
    title: "One Gaussian for two bumps",
    legend: [
      ["data", "p, the data", "area"],
      ["generated", "q, one Gaussian", "area"],
      ["muted", "height of the divergence"],
      ["discriminator", "best Gaussian of each divergence", "ring"],
    ],
    controls: [
      { id: "name", label: "divergence", type: "select", options, value: "reverse_kl" },
      { id: "mean", label: "mean of q", min: -2.5, max: 3.5, step: 0.01, value: start.mean },
      { id: "deviation", label: "deviation of q", min: 0.3, max: 2.6, step: 0.01, value: start.deviation },
      { id: "a", label: "left bump", min: -2, max: 0.5, step: 0.05, value: start.a },
      { id: "b", label: "right bump", min: 0.5, max: 3, step: 0.05, value: start.b },
      {
        id: "weight",
        label: "weight of the left bump",
        min: 0.05,
        max: 0.95,
        step: 0.01,
        value: start.weight,
      },
      { id: "sd", label: "deviation of each bump", min: 0.4, max: 1.2, step: 0.05, value: start.sd },
      {
        id: "descend",
        label: "Descend",
        type: "button",
        title: "down the chosen divergence to the nearest minimum",
        press: (s, set) => {
          const down = descend(target(s.name, s.lp, s.sd), [s.mean, Math.log(s.deviation)]).map(([m, l]) => [
            m,
            Math.exp(l),
          ]);
          const [mean, deviation] = down.at(-1);
          set({ mean: clamp(mean, -2.5, 3.5), deviation: clamp(deviation, 0.3, 2.6), path: down });
        },
      },
      { id: "reset", label: "Back to the start", type: "button", press: (s, set) => set(start) },
    ],
    derive(s) {
      const lp = logBumps(s);
      const [m, d] = s.path?.at(-1) ?? [];
      const here = Math.abs(m - s.mean) < 0.006 && Math.abs(d - s.deviation) < 0.006; // the end of the path, rounded
      return {
        lp,
        p: lp.map(Math.exp),
        q: ws.map((x) => Math.exp(logNormal(x, s.mean, s.deviation))),
        value: between(s.name, lp, s.sd, s.mean, s.deviation),
        map: landscape(s, lp),
        best: allMinima(s, lp),
        path: here ? s.path : null,
      };
    },
    plots: [
      {
        title: "the data and the model",
        alt: "A density with two bumps, and a Gaussian with a handle for its mean and one for its width",
        xlim: [-4, 5],
        ylim: [0, 0.8],
        xlabel: "x",
        ylabel: "density",
        draw(plot, s) {
          (plot.area(ws, s.p, { colour: "data" }), plot.line(ws, s.p, { colour: "data" }));
          (plot.area(ws, s.q, { colour: "generated" }), plot.line(ws, s.q, { colour: "generated" }));
        },
        handles: [
          {
            x: (s) => s.mean,
            y: (s) => Math.min(0.75, Math.exp(logNormal(0, 0, s.deviation))),
            colour: "generated",
            move: (x) => ({ mean: x }),
          },
          {
            x: (s) => s.mean + s.deviation,
            y: (s) => Math.min(0.75, Math.exp(logNormal(0, 0, s.deviation) - 0.5)),
            colour: "generated",
            move: (x, y, s) => ({ deviation: Math.abs(x - s.mean) }),
          },
          { x: (s) => s.a, y: () => 0.04, colour: "data", move: (x) => ({ a: x }) },
          { x: (s) => s.b, y: () => 0.04, colour: "data", move: (x) => ({ b: x }) },
        ],
      },
      {
        title: "all Gaussians, and the best of each divergence",
        alt: "The plane of means and deviations with level lines of the chosen divergence and a labelled mark at the minimum of each",
        xlim: [BOX[0], BOX[1]],
        ylim: [BOX[2], BOX[3]],
        xlabel: "mean",
        ylabel: "deviation",
        draw(plot, s) {
          const low = Math.min(...s.map);
          for (const above of [0.01, 0.03, 0.1, 0.2, 0.4, 0.8])
            plot.contour(s.map, NX, NY, low + above, { box: BOX, colour: "muted", width: 1 });
          if (s.path)
            plot.line(
              s.path.map((at) => at[0]),
              s.path.map((at) => at[1]),
              { colour: "generated", width: 2 },
            );
          const marks = SHOWN.map(([name, label]) => ({
            label,
            at: s.best[name],
            chosen: s.best[s.name] === s.best[name],
          }));
          marks.sort((a, b) => b.at.deviation - a.at.deviation);
          let last = -Infinity;
          for (const { label, at, chosen } of marks) {
            const y = plot.y(at.deviation);
            last = Math.max(last + 13, y - 8); // labels in a column, none over another
            plot.points([at.mean, at.deviation], {
              colour: "discriminator",
              size: 5,
              ring: !chosen,
              alpha: 1,
            });
            const colour = chosen ? "discriminator" : "ink";
            plot.text(at.mean, at.deviation, label, {
              colour,
              bold: chosen,
              align: "left",
              dx: 12,
              dy: last - y,
            });
          }
        },
        handles: [
          {
            x: (s) => s.mean,
            y: (s) => s.deviation,
            colour: "generated",
            move: (x, y) => ({ mean: x, deviation: y }),
          },
        ],
      },
    ],
    readout: (s) => [
      ["D_f(P ‖ Q)", s.value, "generated"],
      ["mean, deviation", `${s.mean.toFixed(2)}, ${s.deviation.toFixed(2)}`, "generated"],
      [
        "best of the chosen divergence",
        `${s.best[s.name].mean.toFixed(2)}, ${s.best[s.name].deviation.toFixed(2)}`,
        "discriminator",
      ],
    ],
    values: (s) => ({
      value: s.value,
      mean: s.mean,
      deviation: s.deviation,
      best: [s.best[s.name].mean, s.best[s.name].deviation],
    }),
  });
}
