// One figure for the chapter on controlled divergence: what contamination achieves beside what it promises.
import { explorable, linspace, number } from "./canvas.js";

const LOG2 = Math.LN2;
const STANDARD = { logScale: 0, logDimension: 0 };
const xlogx = (t) => (t > 0 ? t * Math.log(t) : 0);

// log Γ(x) by Stirling's series, moved up to where that is good to 14 digits
export function logGamma(x) {
  let shift = 0;
  for (; x < 12; x++) shift += Math.log(x);
  const y = 1 / (x * x);
  const series = (1 / 12 - y * (1 / 360 - y * (1 / 1260 - y * (1 / 1680 - y / 1188)))) / x;
  return (x - 0.5) * Math.log(x) - x + 0.5 * Math.log(2 * Math.PI) + series - shift;
}

// the largest JSD at level d, in nats
export const jmax = (d) => (d * LOG2 + xlogx(1 - d) - (2 - d) * Math.log1p(-d / 2)) / 2;

// log density of |x| for x ~ N(0, v^2 I_n)
function radial(n, v) {
  const constant = (1 - n / 2) * LOG2 - logGamma(n / 2) - Math.log(v);
  return (r) => constant + (n > 1 ? (n - 1) * Math.log(r / v) : 0) - (r / v) ** 2 / 2;
}

// Simpson's nodes and weights where either law of |x| has its mass, cut at the radius where they cross; both densities there
export function lay(scale, n, points = 200) {
  const v = Math.hypot(1, scale),
    cross = Math.sqrt((n * Math.log1p(scale * scale)) / scale ** 2) * v;
  const low = Math.max(0, Math.sqrt(n) - 9),
    high = Math.sqrt(n) + 9;
  const edges = [low, high, v * low, v * high, cross].sort((a, b) => a - b);
  const logP = radial(n, 1),
    logR = radial(n, v);
  const p = [],
    r = [],
    w = [],
    inside = [];
  for (let k = 0; k + 1 < edges.length; k++) {
    const h = (edges[k + 1] - edges[k]) / points;
    if (h < 1e-12) continue;
    for (let i = 0; i <= points; i++) {
      const x = edges[k] + i * h;
      (p.push(Math.exp(logP(x))), r.push(Math.exp(logR(x))));
      w.push((h / 3) * (i === 0 || i === points ? 1 : i % 2 ? 4 : 2));
      inside.push(edges[k + 1] <= cross + 1e-12);
    }
  }
  return { p, r, w, inside };
}

// TV and JSD in nats of N(0, I_n) and its contamination
export function achieved(delta, { p, r, w, inside }) {
  let tv = 0,
    jsd = 0;
  for (let i = 0; i < p.length; i++) {
    const q = (1 - delta) * p[i] + delta * r[i],
      m = (p[i] + q) / 2;
    if (inside[i]) tv += w[i] * delta * (p[i] - r[i]);
    if (m > 0)
      jsd += (w[i] * ((p[i] > 0 ? p[i] * Math.log(p[i] / m) : 0) + (q > 0 ? q * Math.log(q / m) : 0))) / 2;
  }
  return { tv, jsd: Math.max(0, jsd) };
}

const DELTAS = linspace(0, 1, 61);
const SCALES = linspace(-1.3, 2, 45);
const DIMENSIONS = [...new Set([...linspace(0, 3, 31)].map((k) => Math.round(10 ** k)))];

function weigh(s) {
  const scale = 10 ** s.logScale,
    n = Math.round(10 ** s.logDimension),
    per = s.unit === "bits" ? LOG2 : 1;
  const grid = lay(scale, n),
    here = achieved(s.delta, grid),
    most = jmax(s.delta);
  const share = (found) => [s.delta > 0 ? found.jsd / most : NaN, s.delta > 0 ? found.tv / s.delta : NaN];
  return {
    scale,
    n,
    per,
    tv: here.tv,
    jsd: here.jsd / per,
    most: most / per,
    promise: (s.delta * LOG2) / per,
    share: share(here),
    byDelta: [...DELTAS].map((d) => achieved(d, grid).jsd / per),
    byScale: [...SCALES].map((k) => share(achieved(s.delta, lay(10 ** k, n, 60)))),
    byDimension: DIMENSIONS.map((k) => share(achieved(s.delta, lay(scale, k, 60)))),
  };
}

// what is drawn of the two laws: on the line as they are, in more dimensions those of |x|
function window_(s) {
  const v = Math.hypot(1, s.scale),
    root = Math.sqrt(s.n);
  if (s.n === 1) return [-Math.min(3 * v + 1, 12), Math.min(3 * v + 1, 12)];
  return [Math.max(0, root - 4), Math.min(v * (root + 3), 3 * (root + 4))];
}
function densities(s) {
  const [a, b] = window_(s),
    x = linspace(a, b, 301);
  const clean = radial(s.n, 1),
    moved = radial(s.n, Math.hypot(1, s.scale)),
    half = s.n === 1 ? 0.5 : 1;
  const p = [...x].map((at) => half * Math.exp(clean(Math.abs(at))));
  const q = p.map((at, i) => (1 - s.delta) * at + s.delta * half * Math.exp(moved(Math.abs(x[i]))));
  return { x, p, q };
}

const shares = (plot, xs, rows, s) => {
  plot.hline(1, { colour: "muted", dash: [2, 4], width: 1 });
  plot.line(
    xs,
    rows.map((row) => row[1]),
    { colour: "other", dash: [7, 5] },
  );
  plot.line(
    xs,
    rows.map((row) => row[0]),
    { colour: "generated", width: 2.5 },
  );
};

export default function controlled(root) {
  explorable(root, {
    title: "Contamination: promised and achieved",
    legend: [
      ["data", "clean data", "area"],
      ["generated", "contaminated data; JSD achieved", "area"],
      ["other", "TV achieved", "dash"],
      ["discriminator", "J_max, the most that is possible", "dash"],
      ["muted", "the promise, δ bits", "line"],
    ],
    controls: [
      { id: "delta", label: "level δ", min: 0, max: 1, step: 0.01, value: 0.3 },
      {
        id: "logScale",
        label: "scale of the noise",
        min: -1.3,
        max: 2,
        step: 0.01,
        value: STANDARD.logScale,
        format: (v) => number(10 ** v, 2),
      },
      {
        id: "logDimension",
        label: "dimension n",
        min: 0,
        max: 3,
        step: 0.01,
        value: STANDARD.logDimension,
        format: (v) => String(Math.round(10 ** v)),
      },
      { id: "unit", label: "unit of JSD", type: "select", options: ["nats", "bits"], value: "nats" },
      {
        id: "pixels",
        label: "As many numbers as an image",
        type: "button",
        press: (s, set) => set({ logDimension: 2.89 }),
      },
      {
        id: "faint",
        label: "Faint noise",
        type: "button",
        press: (s, set) => set({ logScale: -1 }),
      },
      {
        id: "reset",
        label: "Back to the start",
        type: "button",
        press: (s, set) => set({ delta: 0.3, unit: "nats", ...STANDARD }),
      },
    ],
    derive: (s) => {
      const found = weigh(s);
      return { ...found, drawn: densities({ ...s, ...found }) };
    },
    plots: [
      {
        title: "the two laws (of |x|, where n > 1)",
        alt: "The density of clean Gaussian data and that of contaminated data, whose tails are heavier",
        xlim: window_,
        ylim: (s) => [0, 1.12 * Math.max(...s.drawn.p, ...s.drawn.q)],
        xlabel: "x or |x|",
        ylabel: "density",
        draw(plot, s) {
          const { x, p, q } = s.drawn;
          plot.area(x, p, { colour: "data" });
          plot.line(x, p, { colour: "data" });
          plot.area(x, q, { colour: "generated" });
          plot.line(x, q, { colour: "generated" });
        },
      },
      {
        title: "divergence against the level",
        alt: "Curves over the level: the promise is a straight line, J max bends below it, and the achieved divergence lies below both",
        xlim: [0, 1],
        ylim: (s) => [0, 1.05 * (LOG2 / s.per)],
        xlabel: "δ",
        ylabel: "JSD",
        draw(plot, s) {
          plot.line([0, 1], [0, LOG2 / s.per], { colour: "muted" });
          plot.line(DELTAS, s.byDelta, { colour: "generated", width: 2.5 });
          plot.line(
            DELTAS,
            [...DELTAS].map((d) => jmax(d) / s.per),
            { colour: "discriminator", dash: [7, 5] },
          );
        },
        handles: [
          {
            x: (s) => s.delta,
            y: (s) => s.jsd,
            colour: "generated",
            move: (x) => ({ delta: Math.min(1, Math.max(0, x)) }),
          },
        ],
      },
      {
        title: "share of the possible, against the scale",
        alt: "The achieved shares of J max and of delta rise from 0 to 1 as the noise grows",
        xlim: [10 ** -1.3, 100],
        ylim: [0, 1.08],
        xscale: "log",
        xlabel: "scale",
        ylabel: "JSD / J_max, TV / δ",
        draw(plot, s) {
          const xs = [...SCALES].map((k) => 10 ** k);
          shares(plot, xs, s.byScale, s);
        },
        handles: [
          {
            x: (s) => s.scale,
            y: (s) => s.share[0] || 0,
            colour: "generated",
            move: (x) => ({ logScale: Math.log10(Math.max(x, 0.01)) }),
          },
        ],
      },
      {
        title: "share of the possible, against the dimension",
        alt: "The achieved shares of J max and of delta rise towards 1 with the dimension",
        xlim: [0.8, 1000],
        ylim: [0, 1.08],
        xscale: "log",
        xlabel: "dimension n",
        ylabel: "JSD / J_max, TV / δ",
        draw(plot, s) {
          shares(plot, DIMENSIONS, s.byDimension, s);
        },
        handles: [
          {
            x: (s) => s.n,
            y: (s) => s.share[0] || 0,
            colour: "generated",
            move: (x) => ({ logDimension: Math.log10(Math.max(x, 1)) }),
          },
        ],
      },
    ],
    readout: (s) => [
      ["TV achieved", `${number(s.tv, 4)} of at most ${number(s.delta, 2)}`, "other"],
      [`JSD achieved, ${s.unit}`, number(s.jsd, 4), "generated"],
      ["J_max", number(s.most, 4), "discriminator"],
      ["promised", number(s.promise, 4)],
      ["share of J_max", s.delta > 0 ? `${number(100 * s.share[0], 1)} %` : "nothing to share", "generated"],
    ],
    values: (s) => ({ tv: s.tv, jsd: s.jsd, most: s.most, promise: s.promise, n: s.n, scale: s.scale }),
  });
}
