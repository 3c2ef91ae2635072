// Three figures for the chapter on InfoGAN: codes on a line and their reader; AC-GAN's taste; digits under sliders.
import { explorable, linspace, normalPdf, number } from "./canvas.js";
import { handed } from "./packed.js";

const clamp = (v, lo, hi) => Math.min(hi, Math.max(lo, v));

// ---- three codes on a line --------------------------------------------------------------------------------

const K = 3;
const COLOURS = ["data", "generated", "other"];
const NAMES = ["A", "B", "C"];
const xs = linspace(-16, 16, 1281);
const STEP = xs[1] - xs[0];

// Q(c|x), or P(c|x): the posterior of equally likely codes at these centres, with this spread
export function posterior(x, centres, spread) {
  const a = centres.map((b) => -(((x - b) / spread) ** 2) / 2),
    top = Math.max(...a);
  const w = a.map((v) => Math.exp(v - top)),
    total = w[0] + w[1] + w[2];
  return w.map((v, c) => ({ p: v / total, log: a[c] - top - Math.log(total) }));
}

// I(c; x), L_I and the gap at every place
function inform({ g, b, noise, belief }) {
  let information = 0,
    bound = Math.log(K);
  const truth = [],
    read = [],
    lost = [],
    density = [];
  for (const x of xs) {
    const law = g.map((m) => normalPdf(x, m, noise) / K), // P(c, x)
      P = posterior(x, g, noise),
      Q = posterior(x, b, belief);
    let gap = 0;
    for (let c = 0; c < K; c++) {
      information += STEP * law[c] * (P[c].log + Math.log(K));
      bound += STEP * law[c] * Q[c].log;
      gap += law[c] * (P[c].log - Q[c].log);
    }
    (truth.push(P.map((v) => v.p)),
      read.push(Q.map((v) => v.p)),
      lost.push(Math.max(0, gap)),
      density.push(law));
  }
  return { information, bound, truth, read, lost, density };
}

// The slope of L_I in the centres while Q stands still: 1/k E d/dx log Q(c|x) at x = g_c + noise n
export function pull({ g, b, noise, belief }) {
  const n = linspace(-6, 6, 241),
    h = n[1] - n[0];
  return g.map((centre, c) => {
    let sum = 0;
    for (const z of n) {
      const Q = posterior(centre + noise * z, b, belief);
      sum += h * normalPdf(z) * (b[c] - Q.reduce((mean, v, j) => mean + v.p * b[j], 0));
    }
    return sum / belief ** 2 / K;
  });
}

const column = (table, c) => table.map((row) => row[c]);
const centres = (s, name) => [0, 1, 2].map((c) => s[`${name}${c}`]);
const REACH = 5;
const START = { g0: -1.2, g1: 0.2, g2: 1, b0: 1.5, b1: -0.5, b2: -2, noise: 0.8, belief: 1 };
const centre = (id, label, value) => ({ id, label, min: -REACH, max: REACH, step: 0.05, value });

export default function codes(root) {
  explorable(root, {
    title: "Three codes, and a reader who has to tell them apart",
    legend: [
      ...NAMES.map((name, c) => [COLOURS[c], `code ${name}`]),
      ["ink", "true posterior P(c|x)", "dash"],
      ["muted", "what Q loses", "area"],
    ],
    controls: [
      { id: "noise", label: "noise of the generator", min: 0.1, max: 2, step: 0.05, value: START.noise },
      { id: "belief", label: "noise that Q believes in", min: 0.1, max: 2, step: 0.05, value: START.belief },
      ...NAMES.map((name, c) => centre(`g${c}`, `generator's place for ${name}`, START[`g${c}`])),
      ...NAMES.map((name, c) => centre(`b${c}`, `Q's place for ${name}`, START[`b${c}`])),
      {
        id: "learn",
        label: "Q learns",
        type: "button",
        title: "Q becomes the true posterior of the generator as it stands",
        press: (s, set) => set({ b0: s.g0, b1: s.g1, b2: s.g2, belief: s.noise }),
      },
      {
        id: "step",
        label: "G takes a step",
        type: "button",
        title: "the generator moves its three places uphill in the bound, while Q stands still",
        press: (s, set) => {
          const up = pull(s);
          set(
            Object.fromEntries(
              up.map((d, c) => [`g${c}`, clamp(s.g[c] + clamp(3 * d, -1, 1), -REACH, REACH)]),
            ),
          );
        },
      },
      { id: "reset", label: "Back to the start", type: "button", press: (s, set) => set(START) },
    ],
    derive(s) {
      const both = { g: centres(s, "g"), b: centres(s, "b"), noise: s.noise, belief: s.belief };
      return { ...both, ...inform(both) };
    },
    plots: [
      {
        title: "what the generator makes of each code",
        alt: "Three bell curves on a line, one a code, each with a handle to move it",
        xlim: [-6, 6],
        ylim: (s) => [0, 1.15 * Math.max(...s.density.flat())],
        xlabel: "x",
        ylabel: "P(c, x)",
        draw(plot, s) {
          for (let c = 0; c < K; c++) {
            const law = column(s.density, c);
            (plot.area(xs, law, { colour: COLOURS[c] }), plot.line(xs, law, { colour: COLOURS[c] }));
            const top = normalPdf(0, 0, s.noise) / K;
            plot.text(s.g[c], top, NAMES[c], { colour: COLOURS[c], align: "center", dy: -12, bold: true });
          }
        },
        handles: NAMES.map((_, c) => ({
          x: (s) => s.g[c],
          y: (s) => (normalPdf(0, 0, s.noise) / K) * 0.55,
          colour: COLOURS[c],
          move: (x) => ({ [`g${c}`]: clamp(x, -REACH, REACH) }),
        })),
      },
      {
        title: "which code was it? Q's answer, and the right one",
        alt: "For each place, the probabilities that the reader Q gives to the three codes, and dashed the true ones",
        xlim: [-6, 6],
        ylim: [0, 1.05],
        xlabel: "x",
        ylabel: "Q(c|x)",
        draw(plot, s) {
          for (let c = 0; c < K; c++) {
            plot.line(xs, column(s.truth, c), { colour: COLOURS[c], dash: [6, 5], width: 1.5 });
            plot.line(xs, column(s.read, c), { colour: COLOURS[c], width: 2.5 });
          }
        },
        handles: NAMES.map((_, c) => ({
          x: (s) => s.b[c],
          y: () => 0.5,
          colour: COLOURS[c],
          move: (x) => ({ [`b${c}`]: clamp(x, -REACH, REACH) }),
        })),
      },
      {
        title: "what Q loses, place by place",
        alt: "The density of the generated samples, and the part of the information that the reader Q loses at each place",
        xlim: [-6, 6],
        ylim: (s) => [0, 1.15 * Math.max(0.2, ...s.density.map((d) => d[0] + d[1] + d[2]), ...s.lost)],
        xlabel: "x",
        ylabel: "density; nats lost",
        draw(plot, s) {
          const all = s.density.map((d) => d[0] + d[1] + d[2]);
          plot.line(xs, all, { colour: "ink", width: 1.5 });
          (plot.area(xs, s.lost, { colour: "muted", alpha: 0.5 }),
            plot.line(xs, s.lost, { colour: "muted" }));
        },
      },
    ],
    readout: (s) => [
      ["H(c)", Math.log(K)],
      ["H(c|x)", Math.log(K) - s.information],
      ["I(c; x)", s.information],
      ["L_I, Q's bound", s.bound],
      ["lost by Q", s.information - s.bound],
    ],
    values: (s) => ({ information: s.information, bound: s.bound, g: s.g, b: s.b, pull: pull(s) }),
  });
}

// ---- AC-GAN's taste ---------------------------------------------------------------------------------------

const half = linspace(-14, 18, 641);
const WIDTH = half[1] - half[0];
const softplus = (a) => Math.max(a, 0) + Math.log1p(Math.exp(-Math.abs(a)));
const mean = (f) => {
  let sum = 0;
  for (const x of half) sum += f(x);
  return sum * WIDTH;
};
const xlogx = (p, q) => (p > 0 ? p * Math.log(p / q) : 0);

// Both terms for data N(+-data, 1) and classes N(+-d, 1); the left class is the right one's mirror image
export function terms(d, data, on) {
  const source =
    mean((x) => {
      const p = (normalPdf(x, data) + normalPdf(x, -data)) / 2,
        q = (normalPdf(x, d) + normalPdf(x, -d)) / 2,
        m = (p + q) / 2;
      return xlogx(p, m) + xlogx(q, m);
    }) - Math.log(4);
  const classes = mean((x) => {
    const fake = normalPdf(x, d);
    if (on !== "both") return -fake * softplus(-2 * (on === "fake" ? d : data) * x);
    const right = (normalPdf(x, data) + fake) / 2,
      left = (normalPdf(x, -data) + normalPdf(x, -d)) / 2;
    return right > 0 ? 2 * right * Math.log(right / (right + left)) : 0;
  });
  return { source, classes };
}

const FAR = 6;
const ds = linspace(0, FAR, 61);
function bestSeparation(s) {
  const f = (d) => {
    const t = terms(d, s.data, s.on);
    return t.source - s.weight * t.classes;
  };
  const values = Array.from(ds, f),
    k = values.indexOf(Math.min(...values));
  let [lo, hi] = [ds[Math.max(k - 1, 0)], ds[Math.min(k + 1, ds.length - 1)]];
  for (let i = 0; i < 40; i++) {
    const [a, b] = [lo + 0.382 * (hi - lo), lo + 0.618 * (hi - lo)];
    f(a) < f(b) ? (hi = b) : (lo = a);
  }
  return { best: k === ds.length - 1 ? Infinity : (lo + hi) / 2, values };
}

export function classes(root) {
  explorable(root, {
    title: "What AC-GAN's generator would like: two classes, ±d",
    legend: [
      ["data", "the data's two classes", "area"],
      ["generated", "the generator's"],
      ["muted", "GAN criterion alone", "dash"],
      ["ink", "criterion − λ × class term"],
      ["other", "where it is lowest", "dot"],
    ],
    controls: [
      { id: "d", label: "d of the generator", min: 0, max: FAR, step: 0.02, value: 1 },
      { id: "weight", label: "λ of the class term", min: 0, max: 2, step: 0.05, value: 1 },
      { id: "data", label: "d of the data", min: 0.4, max: 2.5, step: 0.05, value: 1 },
      {
        id: "on",
        label: "classifier trained on",
        type: "select",
        options: [
          { value: "both", label: "data and samples" },
          { value: "fake", label: "samples alone" },
          { value: "real", label: "data alone" },
        ],
        value: "both",
      },
      {
        id: "go",
        label: "Go to the lowest point",
        type: "button",
        press: (s, set) => set({ d: Math.min(s.best, FAR) }),
      },
    ],
    derive: (s) => ({ ...terms(s.d, s.data, s.on), ...bestSeparation(s) }),
    plots: [
      {
        title: "the classes",
        alt: "Two bell curves of the data, filled, and two of the generator, as lines, with a handle on the right one",
        xlim: [-7, 7],
        ylim: [0, 0.48],
        xlabel: "x",
        ylabel: "density given the class",
        draw(plot, s) {
          for (const side of [-1, 1]) {
            plot.area(
              half,
              half.map((x) => normalPdf(x, side * s.data)),
              { colour: "data" },
            );
            plot.curve((x) => normalPdf(x, side * s.d), {
              colour: "generated",
              width: 2.5,
              dash: side < 0 ? [7, 4] : [],
            });
          }
        },
        handles: [
          {
            x: (s) => s.d,
            y: () => 0.4,
            colour: "generated",
            move: (x) => ({ d: clamp(Math.abs(x), 0, FAR) }),
          },
        ],
      },
      {
        title: "what the generator minimises",
        alt: "The objective against d, lowest to the right of the data's own d, and the criterion alone, lowest at it",
        xlim: [0, FAR],
        ylim: (s) => [
          Math.min(-1.5, ...s.values) - 0.1,
          Math.max(0.1, Math.min(2.5, Math.max(...s.values.filter(Number.isFinite)))) + 0.1,
        ],
        xlabel: "d of the generator",
        ylabel: "nats",
        draw(plot, s) {
          plot.vline(s.data, { colour: "data", width: 1.5, dash: [2, 4] });
          plot.line(
            ds,
            Array.from(ds, (d) => terms(d, s.data, s.on).source),
            { colour: "muted", dash: [7, 5] },
          );
          plot.line(ds, s.values, { colour: "ink", width: 2.5 });
          if (Number.isFinite(s.best)) {
            const t = terms(s.best, s.data, s.on);
            plot.points([s.best, t.source - s.weight * t.classes], { colour: "other", size: 6, alpha: 1 });
          }
        },
        handles: [
          {
            x: (s) => s.d,
            y: (s) => s.source - s.weight * s.classes,
            colour: "generated",
            move: (x) => ({ d: clamp(x, 0, FAR) }),
          },
        ],
      },
    ],
    readout: (s) => [
      ["d", s.d, "generated"],
      ["GAN criterion", s.source],
      ["class term", s.classes],
      ["objective", s.source - s.weight * s.classes],
      ["lowest at d =", Number.isFinite(s.best) ? s.best : `beyond ${FAR}`, "other"],
      ["the data have d =", s.data, "data"],
    ],
    values: (s) => ({ source: s.source, classes: s.classes, best: s.best, d: s.d }),
  });
}

// ---- digits under sliders ---------------------------------------------------------------------------------

const share = (byte) => number(byte / 255, 2);

export async function digits(root) {
  const run = await handed(root);
  const [noises, k, steps, , h, w] = run.shapes.images;
  const place = (v) => Math.round(((v + 1) / 2) * (steps - 1));
  const at = (s, code) => ((s.z * k + code) * steps + place(s.c1)) * steps + place(s.c2);
  const picture = (i) => run.images.subarray(i * h * w, (i + 1) * h * w);
  const two = (v) => number(v, 2);
  const slider = (id, label) => ({ id, label, min: -1, max: 1, step: 2 / (steps - 1), value: 0, format: two });
  const listed = (n, label) =>
    Array.from({ length: n }, (_, value) => ({ value, label: `${label}${value + 1}` }));
  explorable(root, {
    title: run.title,
    controls: [
      { id: "code", label: "categorical code", type: "select", options: listed(k, "value "), value: 0 },
      slider("c1", "first continuous code"),
      slider("c2", "second continuous code"),
      { id: "z", label: "noise z", type: "select", options: listed(noises, "draw "), value: 0 },
    ],
    derive(s) {
      const code = +s.code,
        here = at({ ...s, z: +s.z }, code);
      const row = Array.from({ length: k }, (_, other) => picture(at({ ...s, z: +s.z }, other)));
      const sheet = new Uint8Array(k * h * w);
      row.forEach((pixels, i) => sheet.set(pixels, i * h * w));
      const q = run.read.subarray(here * k, (here + 1) * k);
      return { here, sheet, q, chosen: code, likeliest: q.indexOf(Math.max(...q)) };
    },
    plots: [
      {
        title: "G(z, c)",
        alt: "One generated digit, enlarged",
        xlim: [0, 1],
        ylim: [0, 1],
        equal: true,
        axes: false,
        basis: "150px",
        floor: "130px",
        grow: 0.5,
        draw: (plot, s) => plot.images(picture(s.here), [1, 1, h, w], 1),
      },
      {
        title: "all values of the categorical code, the rest as it is",
        alt: "The digits that the generator makes of every value of the categorical code, the chosen one framed",
        xlim: [0, 1],
        ylim: [0, 1],
        axes: false,
        aspect: Math.ceil(k / 5) / 5,
        least: 60,
        draw(plot, s) {
          plot.images(s.sheet, [k, 1, h, w], 5);
          const rows = Math.ceil(k / 5),
            left = (s.chosen % 5) / 5,
            top = 1 - Math.floor(s.chosen / 5) / rows;
          const edge = [left, left + 1 / 5, left + 1 / 5, left, left];
          plot.line(edge, [top, top, top - 1 / rows, top - 1 / rows, top], { colour: "generated", width: 4 });
        },
      },
      {
        title: "what Q reads in the digit: Q(c|x)",
        alt: "Bars: the probability that Q gives to each value of the categorical code when it looks at the digit",
        xlim: [0.4, k + 0.6],
        ylim: [0, 1],
        xticks: Array.from({ length: k }, (_, i) => i + 1),
        xlabel: "value",
        least: 150,
        aspect: 0.5,
        draw(plot, s) {
          const values = Array.from(s.q, (v) => v / 255),
            where = values.map((_, i) => i + 1);
          plot.bars(where, values, { width: 0.7, colour: "discriminator" });
        },
      },
    ],
    readout: (s) => [
      ["code", `value ${s.chosen + 1}, ${number(s.c1, 2)}, ${number(s.c2, 2)}`, "generated"],
      ["Q reads", `value ${s.likeliest + 1}, with ${share(s.q[s.likeliest])}`, "discriminator"],
      ["the judge sees", `a ${run.classes[run.seen[s.here]]}, with ${share(run.sure[s.here])}`],
    ],
    values: (s) => ({
      index: s.here,
      likeliest: s.likeliest,
      seen: run.seen[s.here],
      brightness: picture(s.here).reduce((sum, v) => sum + v, 0),
    }),
  });
}
