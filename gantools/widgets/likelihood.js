import { explorable, linspace, normalPdf, number, random } from "./canvas.js";

// Likelihood on a sample against KL to the law it came from, for one normal and for a mixture with a spike.
// L_m: log-likelihood per observation; L = E_P log p_theta = -h(P) - KL, by Gauss-Legendre quadrature.

const HALF_LOG_2PI = Math.log(2 * Math.PI) / 2;
const LAWS = {
  normal: { name: "N(0, 1)", parts: [[0, 1]] },
  bumps: {
    name: "two bumps, ½N(−2, 0.6²) + ½N(2, 0.6²)",
    parts: [
      [-2, 0.6],
      [2, 0.6],
    ],
  },
};
const density = (law, x) =>
  LAWS[law].parts.reduce((sum, [m, sd]) => sum + normalPdf(x, m, sd), 0) / LAWS[law].parts.length;
const logNormal = (t, s) => -0.5 * (t / s) * (t / s) - Math.log(s) - HALF_LOG_2PI;
const logSum = (a, b) => Math.max(a, b) + Math.log1p(Math.exp(-Math.abs(a - b)));

// log p_theta at x = mu + t; t comes by itself, because a spike of width 1e-16 is lost in x
const logModel = (model, mu, s, t) =>
  model === "one" ? logNormal(t, s) : logSum(logNormal(mu + t, 1), logNormal(t, s)) - Math.LN2;

// 200 observations of each law, written down with two decimals, so that mu can stand exactly on one of them
const twoDecimals = (v) => Math.round(v * 100) / 100;
const SAMPLES = Object.fromEntries(
  Object.entries(LAWS).map(([key, { parts }]) => {
    const { uniform, normal } = random(11);
    return [
      key,
      Array.from({ length: 200 }, () => {
        const [m, sd] = parts[Math.floor(uniform() * parts.length)];
        return twoDecimals(m + sd * normal());
      }),
    ];
  }),
);

// ---- quadrature: eight Gauss-Legendre nodes a panel
const NODES = [0.1834346424956498, 0.525532409916329, 0.7966664774136267, 0.9602898564975363];
const WEIGHTS = [0.362683783378362, 0.3137066458778873, 0.2223810344533745, 0.1012285362903763];
function integrate(f, edges) {
  let sum = 0;
  for (let i = 1; i < edges.length; i++) {
    const half = (edges[i] - edges[i - 1]) / 2,
      middle = (edges[i] + edges[i - 1]) / 2;
    for (let k = 0; k < 4; k++)
      sum += half * WEIGHTS[k] * (f(middle - half * NODES[k]) + f(middle + half * NODES[k]));
  }
  return sum;
}
const LINE = Array.from({ length: 97 }, (_, i) => -12 + i / 4);
function panels(mu, s) {
  const near = [0];
  for (let w = s / 4; w < 0.5; w *= 2) near.push(w, -w);
  return [...LINE.map((x) => x - mu), ...near].sort((a, b) => a - b);
}
const entropy = (law) => integrate((x) => -density(law, x) * Math.log(density(law, x)), LINE);
const ENTROPY = Object.fromEntries(Object.keys(LAWS).map((law) => [law, entropy(law)]));
function expected(law, model, mu, s) {
  return integrate((t) => density(law, mu + t) * logModel(model, mu, s, t), panels(mu, s));
}
const onSample = (xs, model, mu, s) =>
  xs.reduce((sum, x) => sum + logModel(model, mu, s, x - mu), 0) / xs.length;

// ---- the two curves, along mu or along the width
const MUS = Array.from({ length: 161 }, (_, i) => twoDecimals(-4 + i / 20));
const WIDTHS = { one: linspace(-1.3, 0.7, 90), spike: linspace(-16, 0.7, 130) };
const SPAN = linspace(-4.5, 4.5, 361);

function derive(state) {
  const { law, model, along, m } = state;
  const mu = twoDecimals(state.mu),
    s = 10 ** state.width;
  const xs = SAMPLES[law].slice(0, m);
  const L = expected(law, model, mu, s);
  const at = along === "mu" ? linspace(-4, 4, 97) : WIDTHS[model];
  const curveL = Array.from(at, (v) =>
    along === "mu" ? expected(law, model, v, s) : expected(law, model, mu, 10 ** v),
  );
  // along mu a spike shows only where it stands on an observation
  const fine =
    along !== "mu"
      ? WIDTHS[model]
      : model === "one"
        ? at
        : [...MUS, ...xs.flatMap((x) => [x - 0.01, x, x + 0.01])].sort((a, b) => a - b);
  const curveM = Array.from(fine, (v) =>
    along === "mu" ? onSample(xs, model, v, s) : onSample(xs, model, mu, 10 ** v),
  );
  return {
    centre: mu,
    s,
    xs,
    L,
    Lm: onSample(xs, model, mu, s),
    kl: -ENTROPY[law] - L,
    top: -ENTROPY[law],
    at,
    curveL,
    fine,
    curveM,
  };
}

function densities(p, s) {
  p.area(
    SPAN,
    SPAN.map((x) => density(s.law, x)),
    { colour: "data", alpha: 0.18 },
  );
  p.curve((x) => density(s.law, x), { colour: "data" });
  const model = (x) => Math.exp(logModel(s.model, s.centre, s.s, x - s.centre));
  const here = [...SPAN, ...linspace(-5, 5, 41).map((k) => s.centre + k * s.s)].sort((a, b) => a - b);
  p.line(here, here.map(model), { colour: "generated", width: 2.5 });
  p.points(
    s.xs.flatMap((x) => [x, -0.035]),
    { colour: "data", size: 3, ring: true },
  );
}

function curves(p, s) {
  const here = s.along === "mu" ? s.centre : Math.max(s.width, p.x0);
  p.hline(s.top, { colour: "muted", dash: [6, 5] });
  p.line(s.at, s.curveL, { colour: "data" });
  p.line(s.fine, s.curveM, { colour: "generated" });
  p.line([here, here], [Math.max(s.L, p.y0), s.top], { colour: "data", width: 5, alpha: 0.35 });
  p.points([here, Math.max(s.L, p.y0), here, Math.min(Math.max(s.Lm, p.y0), p.y1)], {
    colour: "ink",
    size: 4,
  });
  const right = here > (p.x0 + p.x1) / 2;
  if (s.kl > 0.12)
    p.text(here, s.top - Math.min(s.kl, s.top - p.y0) / 2, "KL", {
      colour: "data",
      bold: true,
      dx: right ? -9 : 9,
      align: right ? "right" : "left",
    });
  p.text(p.x0, s.top, "−h(P), the ceiling of L", { colour: "muted", dx: 6, dy: -9 });
}

// 10 ** v for negative v, as 2.5·10⁻⁷
function tiny(v) {
  const [digits, power] = (10 ** v).toExponential(1).split("e-");
  return `${digits}·10⁻${[...power].map((d) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[d]).join("")}`;
}

function figure(root, start) {
  const floor = (s) => s.top - 2.2;
  const roof = (s) => Math.max(s.top + 0.5, Math.max(...s.curveM) + 0.2);
  const nearest = (s) =>
    s.xs.reduce((best, x) => (Math.abs(x - s.centre) < Math.abs(best - s.centre) ? x : best));
  const moments = (xs) => {
    const mean = xs.reduce((a, b) => a + b, 0) / xs.length;
    return [mean, Math.sqrt(xs.reduce((a, b) => a + (b - mean) ** 2, 0) / xs.length)];
  };
  explorable(root, {
    title: "Likelihood on a sample, KL to the law behind it",
    legend: [
      ["data", "the law P, its sample (rings), and L = −h(P) − KL"],
      ["generated", "the model p_{θ}, and its log-likelihood L_m on the sample"],
      ["muted", "the ceiling −h(P)", "dash"],
    ],
    controls: [
      {
        id: "law",
        label: "law P",
        type: "select",
        value: "normal",
        options: Object.entries(LAWS).map(([value, { name }]) => ({ value, label: name })),
      },
      {
        id: "model",
        label: "model p_{θ}",
        type: "select",
        value: start.model,
        options: [
          { value: "one", label: "one normal, N(μ, s²)" },
          { value: "spike", label: "mixture of two, ½N(0, 1) + ½N(μ, s²)" },
        ],
      },
      {
        id: "along",
        label: "curves along",
        type: "select",
        value: start.along,
        options: [
          { value: "mu", label: "μ" },
          { value: "width", label: "s" },
        ],
      },
      { id: "mu", label: "centre μ", min: -4, max: 4, step: 0.01, value: start.mu },
      {
        id: "width",
        label: "width s, log scale",
        min: -16,
        max: 0.7,
        step: 0.01,
        value: start.width,
        format: (v) => (v < -2 ? tiny(v) : number(10 ** v, 3)),
      },
      { id: "m", label: "observations m", min: 1, max: 200, step: 1, value: 20 },
      {
        id: "snap",
        label: "Put μ on the nearest observation",
        type: "button",
        press: (s, set) => set({ mu: nearest(s) }),
      },
      {
        id: "fit",
        label: "Mean and deviation of the sample",
        type: "button",
        press: (s, set) => {
          const [mean, sd] = moments(s.xs);
          set({ mu: mean, width: Math.log10(Math.max(sd, 1e-16)) });
        },
      },
    ],
    derive,
    plots: [
      {
        title: "Densities",
        xlabel: "x",
        ylabel: "density",
        xlim: [-4.5, 4.5],
        ylim: [-0.08, 0.85],
        draw: densities,
        handles: [
          { x: (s) => s.centre, y: () => 0.42, colour: "generated", move: (x) => ({ mu: x }) },
          {
            x: (s) => s.centre + s.s,
            y: () => 0.24,
            colour: "generated",
            move: (x, y, s) => ({ width: Math.log10(Math.max(0.05, Math.abs(x - s.centre))) }),
          },
        ],
      },
      {
        title: "Nats per observation",
        ylabel: "nats",
        xlabel: "μ or log₁₀ s, as chosen below",
        xlim: (s) => (s.along === "mu" ? [-4, 4] : [WIDTHS[s.model][0], 0.7]),
        ylim: (s) => [floor(s), roof(s)],
        draw: curves,
      },
    ],
    readout: (s) => [
      ["L_m on the sample", s.Lm, "generated"],
      ["L = −h(P) − KL", s.L, "data"],
      ["KL(P‖p_{θ})", s.kl, "data"],
      ["h(P)", -s.top],
      ["L_m − L", s.Lm - s.L],
    ],
    values: (s) => ({ mu: s.centre, s: s.s, Lm: s.Lm, L: s.L, kl: s.kl, entropy: -s.top, sample: s.xs }),
  });
}

export default function likelihood(root) {
  figure(root, { model: "one", along: "mu", mu: -1.5, width: 0.2 });
}
export function spike(root) {
  figure(root, { model: "spike", along: "width", mu: 1.3, width: -0.3 });
}
