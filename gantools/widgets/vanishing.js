// Three figures for the chapter on vanishing gradients: the parallel lines, the two generator losses, the heavy tail.
import { explorable, linspace, normalPdf, random } from "./canvas.js";

const LOG2 = Math.LN2;
// the trapezoidal rule is exact to many digits for expectations of analytic functions over N(0, 1)
const nodes = linspace(-12, 12, 1201);
const weights = nodes.map((u) => normalPdf(u) * (nodes[1] - nodes[0]));
const mean = (f) => {
  let sum = 0;
  for (let i = 0; i < nodes.length; i++) sum += weights[i] * f(nodes[i]);
  return sum;
};
const softplus = (a) => Math.max(a, 0) + Math.log1p(Math.exp(-Math.abs(a)));
const sigmoid = (a) => (a >= 0 ? 1 / (1 + Math.exp(-a)) : Math.exp(a) / (1 + Math.exp(a)));

// erf by its all-positive series: exp(-x^2) sum 2^n x^(2n+1) / (2n+1)!!
export function erf(x) {
  const z = Math.abs(x);
  if (z > 6) return Math.sign(x);
  let term = z,
    total = z;
  for (let n = 1; term > total * 1e-17; n++) ((term *= (2 * z * z) / (2 * n + 1)), (total += term));
  return Math.sign(x) * Math.min(1, (2 / Math.sqrt(Math.PI)) * Math.exp(-z * z) * total);
}

// integral of pq / (p + q) for N(0, 1) and N(d, 1), with no cancellation
const affinity = (d) =>
  Math.exp((-d * d) / 8) *
  mean((u) => {
    const t = Math.exp(-Math.abs(d * u) / 2);
    return t / (1 + t * t);
  });

// divergences of the parallel lines and their slopes in theta; sigma = 0 gives the limits
export function between(theta, sigma) {
  const size = Math.abs(theta),
    sign = Math.sign(theta);
  if (sigma === 0)
    return size
      ? { kl: Infinity, tv: 1, jsd: LOG2, w1: size, dkl: NaN, dtv: 0, djsd: 0, dw1: sign }
      : { kl: 0, tv: 0, jsd: 0, w1: 0, dkl: NaN, dtv: NaN, djsd: NaN, dw1: NaN };
  const d = size / sigma;
  return {
    kl: (d * d) / 2,
    tv: erf(d / Math.SQRT2 / 2),
    jsd: Math.max(0, LOG2 - mean((u) => softplus(d * u - (d * d) / 2))),
    w1: size,
    dkl: theta / sigma ** 2,
    dtv: size ? (sign * normalPdf(d / 2)) / sigma : NaN,
    djsd: ((sign * d) / (2 * sigma)) * affinity(d),
    dw1: size ? sign : NaN,
  };
}

const rng = random(7);
const cloud = Array.from({ length: 140 }, () => [rng.uniform(), rng.normal(), rng.normal()]);
const thetas = linspace(-2, 2, 201);
const NAMES = [
  ["kl", "extra", "KL"],
  ["tv", "muted", "TV"],
  ["jsd", "discriminator", "JSD"],
  ["w1", "other", "W_1"],
];
const DASH = { kl: [2, 4], tv: [8, 4], jsd: [], w1: [10, 3, 2, 3] };

let asked = -1,
  kept = [];
const sweep = (sigma) =>
  sigma === asked ? kept : ((asked = sigma), (kept = Array.from(thetas, (t) => between(t, sigma))));
const scatter = (theta, sigma) => cloud.flatMap(([u, a, b]) => [theta + sigma * a, u + sigma * b]);
const felt = (v) => (Number.isNaN(v) ? "does not exist" : v);

export function lines(root) {
  explorable(root, {
    title: "Parallel lines: four distances, and the slope each gives the generator",
    legend: [
      ["data", "P_0", "dot"],
      ["generated", "P_{θ}", "dot"],
      ["extra", "KL", "dash"],
      ["muted", "TV", "dash"],
      ["discriminator", "JSD"],
      ["other", "W_1", "dash"],
    ],
    controls: [
      { id: "theta", label: "θ, where the generator's line stands", min: -2, max: 2, step: 0.02, value: 1 },
      { id: "sigma", label: "σ, the instance noise", min: 0, max: 1, step: 0.01, value: 0.25 },
      { id: "clean", label: "No noise", type: "button", press: (s, set) => set({ sigma: 0 }) },
      {
        id: "reset",
        label: "Back to the start",
        type: "button",
        press: (s, set) => set({ theta: 1, sigma: 0.25 }),
      },
    ],
    derive: (s) => ({ at: between(s.theta, s.sigma), along: sweep(s.sigma) }),
    plots: [
      {
        title: "the two laws (drag the orange line)",
        alt: "Two vertical lines of samples, blurred by the noise",
        xlim: [-3.2, 3.2],
        ylim: [-2, 3],
        xlabel: "x",
        ylabel: "y",
        equal: true,
        draw(plot, s) {
          plot.line([0, 0], [0, 1], { colour: "data", width: s.sigma ? 1.5 : 4, alpha: s.sigma ? 0.6 : 1 });
          plot.line([s.theta, s.theta], [0, 1], {
            colour: "generated",
            width: s.sigma ? 1.5 : 4,
            alpha: s.sigma ? 0.6 : 1,
          });
          if (s.sigma)
            (plot.points(scatter(0, s.sigma), { colour: "data", size: 2, alpha: 0.7 }),
              plot.points(scatter(s.theta, s.sigma), {
                colour: "generated",
                size: 2,
                ring: true,
                alpha: 0.7,
              }));
        },
        handles: [{ x: (s) => s.theta, y: () => 0.5, colour: "generated", move: (x) => ({ theta: x }) }],
      },
      {
        title: "distance against θ",
        alt: "KL, TV, JSD and W1 as functions of theta",
        xlim: [-2, 2],
        ylim: [0, 2.2],
        xlabel: "θ",
        ylabel: "KL, JSD: nats; TV; W_1",
        draw(plot, s) {
          plot.hline(LOG2, { colour: "grid", width: 1 });
          plot.text(-1.95, LOG2, "log 2", { colour: "muted", dy: -9 });
          plot.vline(s.theta, { colour: "generated", width: 1, alpha: 0.7 });
          for (const [id, colour] of NAMES) {
            // without noise every curve but W1 jumps at 0: leave the jump out
            const ys = s.along.map((row, i) =>
              s.sigma === 0 && id !== "w1" && Math.abs(thetas[i]) < 1e-9 ? NaN : Math.min(row[id], 99),
            );
            plot.line(thetas, ys, { colour, dash: DASH[id], width: 2.2 });
            if (Number.isFinite(s.at[id])) plot.points([s.theta, s.at[id]], { colour, size: 4.5, alpha: 1 });
          }
          if (s.sigma === 0)
            (plot.text(0, 2.05, "KL = ∞ for every θ ≠ 0", { colour: "extra", align: "center" }),
              plot.points([0, 0], { colour: "ink", size: 3, alpha: 1 }));
        },
      },
      {
        title: "size of the slope in θ, on a log scale",
        alt: "Absolute derivatives of the four distances with respect to theta, on a logarithmic scale",
        xlim: [-2, 2],
        ylim: [1e-8, 1e3],
        yscale: "log",
        xlabel: "θ",
        ylabel: "|d / dθ|",
        basis: "100%",
        aspect: 0.36,
        draw(plot, s) {
          plot.vline(s.theta, { colour: "generated", width: 1, alpha: 0.7 });
          for (const [id, colour] of NAMES) {
            const ys = s.along.map((row) => {
              const v = Math.abs(row["d" + id]);
              return v > 0 ? Math.max(v, 1e-12) : NaN;
            });
            plot.line(thetas, ys, { colour, dash: DASH[id], width: 2.2 });
            const here = Math.abs(s.at["d" + id]);
            if (here > 0) plot.points([s.theta, Math.max(here, 1e-8)], { colour, size: 4.5, alpha: 1 });
          }
          if (s.sigma === 0)
            (plot.text(0, 1e-4, "without noise the slopes of TV and JSD", {
              colour: "discriminator",
              align: "center",
            }),
              plot.text(0, 1e-5, "are exactly 0: below every axis", {
                colour: "discriminator",
                align: "center",
              }));
        },
      },
    ],
    readout: (s) => [
      ["KL", s.at.kl, "extra"],
      ["TV", s.at.tv],
      ["JSD", s.at.jsd, "discriminator"],
      ["W_1", s.at.w1, "other"],
      ["slope of JSD", felt(s.at.djsd), "discriminator"],
      ["slope of W_1", felt(s.at.dw1), "other"],
    ],
    values: (s) => ({ ...s.at, theta: s.theta, sigma: s.sigma }),
  });
}

// ---- the two generator losses, p = N(0, 1) and x = mu + z, at the optimal discriminator
export const gradients = (mu) => ({
  saturating: mu * affinity(mu),
  nonsaturating: mu * mean((u) => sigmoid(mu * (mu / 2 + u))),
});
const mus = linspace(0.02, 10, 200);
const curves = Array.from(mus, gradients);
const quantiles = [-1.282, -0.524, 0, 0.524, 1.282]; // of N(0, 1), at 0.1, 0.3, ..., 0.9

export function losses(root) {
  explorable(root, {
    title: "What the generator feels: log(1 − D) against −log D",
    legend: [
      ["data", "p = N(0, 1)", "area"],
      ["generated", "q = N(μ, 1)", "area"],
      ["discriminator", "D^*", "dash"],
      ["other", "pull of log(1 − D)"],
      ["extra", "pull of −log D"],
    ],
    controls: [
      { id: "mu", label: "μ, the generator's mean", min: 0.05, max: 10, step: 0.05, value: 1.5 },
      { id: "near", label: "μ = 1", type: "button", press: (s, set) => set({ mu: 1 }) },
      { id: "far", label: "μ = 8", type: "button", press: (s, set) => set({ mu: 8 }) },
    ],
    derive: (s) => gradients(s.mu),
    plots: [
      {
        title: "five samples of q, and how far each loss pulls them",
        alt: "Densities, the optimal discriminator, and for five samples of the generator two rows of arrows",
        xlim: [-4, 13],
        ylim: [-0.66, 1.05],
        aspect: 0.8,
        xlabel: "x",
        ylabel: "density; D(x)",
        yticks: [0, 0.5, 1],
        draw(plot, s) {
          const xs = linspace(-4, 13, 500),
            p = xs.map((x) => normalPdf(x)),
            q = xs.map((x) => normalPdf(x, s.mu));
          (plot.area(xs, p, { colour: "data" }), plot.line(xs, p, { colour: "data" }));
          (plot.area(xs, q, { colour: "generated" }), plot.line(xs, q, { colour: "generated" }));
          const d = (x) => sigmoid(s.mu * (s.mu / 2 - x));
          plot.curve(d, { colour: "discriminator", dash: [7, 5], width: 2.5 });
          const x = quantiles.map((u) => s.mu + u);
          const row = (top, colour, force) => {
            const at = x.flatMap((v, i) => [v, top - 0.05 * i]);
            plot.points(at, { colour: "generated", size: 2.5 });
            plot.arrows(
              at,
              x.flatMap((v) => [-force(v), 0]),
              { colour, width: 2 },
            );
          };
          (row(-0.1, "other", (v) => s.mu * d(v)), row(-0.4, "extra", (v) => s.mu * (1 - d(v))));
        },
        handles: [{ x: (s) => s.mu, y: () => 0.2, colour: "generated", move: (x) => ({ mu: x }) }],
      },
      {
        title: "gradient in μ, on a log scale",
        alt: "The saturating gradient rises, then falls faster than exponentially; the non-saturating one grows like mu",
        xlim: [0, 10],
        ylim: [1e-6, 100],
        yscale: "log",
        xlabel: "μ",
        ylabel: "gradient",
        draw(plot, s) {
          plot.vline(s.mu, { colour: "generated", width: 1, alpha: 0.7 });
          for (const [id, colour] of [
            ["saturating", "other"],
            ["nonsaturating", "extra"],
          ]) {
            plot.line(
              mus,
              curves.map((c) => c[id]),
              { colour, width: 2.4 },
            );
            plot.points([s.mu, s[id]], { colour, size: 5, alpha: 1 });
          }
        },
      },
    ],
    readout: (s) => [
      ["gradient of E log(1 − D^*)", s.saturating, "other"],
      ["gradient of −E log D^*", s.nonsaturating, "extra"],
      ["their sum, μ", s.saturating + s.nonsaturating],
    ],
    values: (s) => ({ mu: s.mu, saturating: s.saturating, nonsaturating: s.nonsaturating }),
  });
}

// ---- the ratio of two Gaussians: a law without a mean
const DRAWS = 20000,
  BIN = 0.4;
const bins = linspace(-12 + BIN / 2, 12 - BIN / 2, 60);
const stops = [...new Set(Array.from(linspace(0, Math.log10(DRAWS), 400), (e) => Math.round(10 ** e)))];

let dealt = 0,
  hand = null;
function deal(seed) {
  if (seed === dealt) return hand;
  const { normal } = random(1000 + seed),
    ratios = new Float64Array(DRAWS),
    paths = { ratio: [], plain: [] };
  let ratio = 0,
    plain = 0;
  for (let i = 0, k = 0; i < DRAWS; i++) {
    const r = normal();
    ((ratios[i] = r / normal()), (ratio += ratios[i]), (plain += r));
    if (i + 1 === stops[k]) (paths.ratio.push(ratio / (i + 1)), paths.plain.push(plain / (i + 1)), k++);
  }
  const sorted = ratios.slice().sort();
  dealt = seed;
  return (hand = { ratios, sorted, paths });
}

function tail(s) {
  const { ratios, sorted, paths } = deal(s.seed),
    gamma = s.r / s.eps;
  const counts = new Float64Array(bins.length);
  for (const v of ratios) {
    const k = Math.floor((gamma * v + 12) / BIN);
    if (k >= 0 && k < bins.length) counts[k]++;
  }
  const largest = Math.max(-sorted[0], sorted[DRAWS - 1]) * gamma;
  return {
    gamma,
    heights: counts.map((c) => c / (DRAWS * BIN)),
    means: paths.ratio.map((v) => v * gamma),
    plain: paths.plain.map((v) => v * gamma * 1.4826),
    low: sorted[DRAWS / 4] * gamma,
    high: sorted[(3 * DRAWS) / 4] * gamma,
    largest,
    last: paths.ratio.at(-1) * gamma,
  };
}
export const cauchy = (x, gamma) => 1 / (Math.PI * gamma * (1 + (x / gamma) ** 2));

export function ratio(root) {
  explorable(root, {
    title: "A ratio of Gaussians: the mean that never settles",
    legend: [
      ["generated", "draws of r / ε", "area"],
      ["ink", "Cauchy density"],
      ["other", "running mean of r / ε"],
      ["muted", "running mean of a Gaussian with the same quartiles", "dash"],
    ],
    controls: [
      { id: "r", label: "s_r, spread of the gradient's error", min: 0.2, max: 1.2, step: 0.05, value: 0.6 },
      { id: "eps", label: "s_{ε}, spread of the value's error", min: 0.2, max: 1.2, step: 0.05, value: 0.3 },
      { id: "seed", label: "draw number", min: 1, max: 40, step: 1, value: 1, format: (v) => String(v) },
      { id: "next", label: "New draws", type: "button", press: (s, set) => set({ seed: (s.seed % 40) + 1 }) },
    ],
    derive: tail,
    plots: [
      {
        title: "20 000 draws",
        alt: "Histogram of the draws with the Cauchy density over it",
        xlim: [-12, 12],
        ylim: (s) => [0, 0.42 / s.gamma],
        xlabel: "r / ε",
        ylabel: "density",
        draw(plot, s) {
          plot.bars(bins, s.heights, { width: BIN * 0.9, colour: "generated", alpha: 0.55 });
          plot.curve((x) => cauchy(x, s.gamma), { colour: "ink", width: 2 });
          for (const at of [-s.gamma, s.gamma]) plot.vline(at, { colour: "muted", dash: [4, 4], width: 1 });
        },
      },
      {
        title: "mean of the first n draws",
        alt: "The running mean of the ratios jumps again and again; that of Gaussian draws settles at zero",
        xlim: [1, DRAWS],
        ylim: [-15, 15],
        xscale: "log",
        xlabel: "n",
        ylabel: "mean",
        draw(plot, s) {
          plot.hline(0, { colour: "grid", width: 1 });
          plot.line(stops, s.plain, { colour: "muted", dash: [6, 4], width: 2 });
          plot.line(stops, s.means, { colour: "other", width: 2 });
        },
      },
    ],
    readout: (s) => [
      ["scale s_r / s_{ε}", s.gamma],
      [
        "quartiles of the draws",
        `${s.low.toFixed(2).replace("-", "−")} and ${s.high.toFixed(2)}`,
        "generated",
      ],
      ["mean of all draws", s.last, "other"],
      ["largest |draw|", s.largest.toFixed(0)],
    ],
    values: (s) => ({
      gamma: s.gamma,
      low: s.low,
      high: s.high,
      mean: s.last,
      largest: s.largest,
      density: Array.from([0, 1, 5], (x) => cauchy(x, s.gamma)),
    }),
  });
}
