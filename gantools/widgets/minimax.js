// Two movable laws, the best discriminator against them, and one that the reader shapes: V(D, G) <= C(G).
import { explorable, linspace, normalPdf } from "./canvas.js";

const LO = -20,
  HI = 20,
  APART = 2.5;
const xs = linspace(LO, HI, 1201);
const STEP = xs[1] - xs[0]; // laws and integrands die out before the ends: plain sums are exact to many digits
const means = linspace(-5, 5, 81);

export const softplus = (a) => Math.max(a, 0) + Math.log1p(Math.exp(-Math.abs(a)));
const sigmoid = (a) => (a >= 0 ? 1 / (1 + Math.exp(-a)) : Math.exp(a) / (1 + Math.exp(a)));
const sum = (f) => {
  let total = 0;
  for (let i = 0; i < xs.length; i++) total += f(i);
  return total * STEP;
};
const logNormal = (x, mean, sd) => -(((x - mean) / sd) ** 2) / 2 - Math.log(sd * Math.sqrt(2 * Math.PI));

// log p: one normal, or two of equal weight around the same middle
function logData(x, s) {
  if (s.shape !== "two") return logNormal(x, s.meanP, s.sdP);
  const a = logNormal(x, s.meanP - APART, s.sdP),
    b = logNormal(x, s.meanP + APART, s.sdP);
  return Math.max(a, b) + Math.log1p(Math.exp(-Math.abs(a - b))) - Math.LN2;
}

// V of the discriminator with these logits: E_p log D + E_q log(1 - D)
const valueOf = (p, q, logit) => sum((i) => -p[i] * softplus(-logit[i]) - q[i] * softplus(logit[i]));
// JSD from its definition, against the mixture m
const jsdOf = (p, q, lp, lq) =>
  sum((i) => {
    const lm = Math.max(lp[i], lq[i]) + Math.log1p(Math.exp(-Math.abs(lp[i] - lq[i]))) - Math.LN2;
    return (p[i] * (lp[i] - lm) + q[i] * (lq[i] - lm)) / 2;
  });

// Newton's method for the best slope and shift of the logit a + b x; V is concave in both
export function bestLine(p, q) {
  let a = 0,
    b = 0;
  const at = (u, v) =>
    valueOf(
      p,
      q,
      xs.map((x) => u + v * x),
    );
  let here = at(a, b);
  for (let k = 0; k < 60; k++) {
    let ga = 0,
      gb = 0,
      haa = 1e-12,
      hab = 0,
      hbb = 1e-12;
    for (let i = 0; i < xs.length; i++) {
      const x = xs[i],
        d = sigmoid(a + b * x),
        g = (p[i] * (1 - d) - q[i] * d) * STEP,
        h = (p[i] + q[i]) * d * (1 - d) * STEP;
      ((ga += g), (gb += g * x), (haa += h), (hab += h * x), (hbb += h * x * x));
    }
    const det = haa * hbb - hab * hab;
    if (!(det > 1e-14)) break;
    const da = (hbb * ga - hab * gb) / det,
      db = (haa * gb - hab * ga) / det;
    let t = 1,
      next = at(a + da, b + db);
    while (next < here && t > 1e-6) ((t /= 2), (next = at(a + t * da, b + t * db)));
    ((a += t * da), (b += t * db));
    const gained = next - here;
    here = next;
    if (gained < 1e-13) break;
  }
  return [a, b];
}

const clamp = (v, lo, hi) => Math.min(hi, Math.max(lo, v));
// logit of the reader's D: slope (threshold - x), so that positive slopes call the left real
const logitOf = (s) => xs.map((x) => s.slope * (s.cut - x));

function derive(s) {
  const lp = xs.map((x) => logData(x, s)),
    lq = xs.map((x) => logNormal(x, s.meanQ, s.sdQ));
  const p = lp.map(Math.exp),
    q = lq.map(Math.exp);
  const best = lp.map((v, i) => v - lq[i]);
  const logit = logitOf(s);
  const jsd = jsdOf(p, q, lp, lq);
  const v = valueOf(p, q, logit),
    top = valueOf(p, q, best);
  return { lp, p, q, best, logit, jsd, v, top, ...along(s, lp, p, logit) };
}

// both curves of the second plot: C and V(D, .) against the generator's mean, the rest as it stands
let key = "",
  curves = {};
function along(s, lp, p, logit) {
  const now = [s.shape, s.meanP, s.sdP, s.sdQ, s.slope, s.cut].join();
  if (now === key) return curves;
  key = now;
  const tops = [],
    vs = [];
  for (const mean of means) {
    const lq = xs.map((x) => logNormal(x, mean, s.sdQ)),
      q = lq.map(Math.exp);
    tops.push(2 * jsdOf(p, q, lp, lq) - Math.log(4));
    vs.push(valueOf(p, q, logit));
  }
  return (curves = { tops, vs });
}

// one step of gradient descent of V(D, .) in the generator's mean and sd: x = mean + sd z moves with the slope of log(1 - D)
function descend(s, rate = 0.6) {
  const pull = (weight) => sum((i) => s.q[i] * sigmoid(s.logit[i]) * s.slope * weight(xs[i])); // slope of log(1 - D) is D times slope
  const dMean = pull(() => 1),
    dSd = pull((x) => (x - s.meanQ) / s.sdQ);
  return { meanQ: clamp(s.meanQ - rate * dMean, -4, 4), sdQ: clamp(s.sdQ - rate * dSd, 0.4, 2.5) };
}

export default function minimax(root) {
  explorable(root, {
    title: "The game by hand: p, q, the best discriminator and yours",
    legend: [
      ["data", "p, the data", "area"],
      ["generated", "q, the generator", "area"],
      ["discriminator", "D^* = p / (p + q)", "dash"],
      ["other", "your D"],
    ],
    controls: [
      { id: "meanP", label: "mean of p", min: -4, max: 4, step: 0.05, value: -1 },
      { id: "sdP", label: "spread of p", min: 0.4, max: 2.5, step: 0.05, value: 1 },
      { id: "meanQ", label: "mean of q", min: -4, max: 4, step: 0.05, value: 1.5 },
      { id: "sdQ", label: "spread of q", min: 0.4, max: 2.5, step: 0.05, value: 1 },
      { id: "slope", label: "steepness of your D", min: -6, max: 6, step: 0.05, value: 0.5 },
      { id: "cut", label: "threshold of your D", min: -5, max: 5, step: 0.05, value: 1.5 },
      {
        id: "shape",
        label: "the data have",
        type: "select",
        options: [
          { value: "one", label: "one mode" },
          { value: "two", label: "two modes" },
        ],
        value: "one",
      },
      {
        id: "respond",
        label: "D plays its best",
        type: "button",
        title: "the best of all straight-line logits against this q",
        press: (s, set) => {
          const [a, b] = bestLine(s.p, s.q);
          set({ slope: clamp(-b, -6, 6), cut: Math.abs(b) > 1e-6 ? clamp(-a / b, -5, 5) : 0 });
        },
      },
      {
        id: "descend",
        label: "G takes a step",
        type: "button",
        title: "gradient descent of V in the generator's mean and spread",
        press: (s, set) => set(descend(s)),
      },
      {
        id: "reset",
        label: "Back to the start",
        type: "button",
        press: (s, set) => set({ meanP: -1, sdP: 1, meanQ: 1.5, sdQ: 1, slope: 0.5, cut: 1.5, shape: "one" }),
      },
    ],
    derive,
    plots: [
      {
        title: "densities, and both discriminators between 0 and 1",
        alt: "Densities of the data and of the generator, with the optimal discriminator and the reader's own",
        xlim: [-6, 6],
        ylim: [0, 1.02],
        xlabel: "x",
        ylabel: "density; D(x)",
        draw(plot, s) {
          plot.hline(0.5, { colour: "muted", width: 1, dash: [2, 4] });
          (plot.area(xs, s.p, { colour: "data" }), plot.line(xs, s.p, { colour: "data" }));
          (plot.area(xs, s.q, { colour: "generated" }), plot.line(xs, s.q, { colour: "generated" }));
          plot.line(xs, s.best.map(sigmoid), { colour: "discriminator", dash: [7, 5], width: 2.5 });
          plot.line(xs, s.logit.map(sigmoid), { colour: "other" });
        },
        handles: [
          {
            x: (s) => s.meanP,
            y: (s) => Math.exp(logData(s.meanP, s)) / 2,
            colour: "data",
            move: (x) => ({ meanP: x }),
          },
          {
            x: (s) => s.meanQ,
            y: (s) => normalPdf(0, 0, s.sdQ) * 0.75,
            colour: "generated",
            move: (x) => ({ meanQ: x }),
          },
          { x: (s) => s.cut, y: () => 0.5, colour: "other", move: (x) => ({ cut: x }) },
        ],
      },
      {
        title: "what D is worth, wherever the mean of q is put",
        alt: "The criterion C(G) as a function of the generator's mean, and below it the value of the reader's discriminator",
        xlim: [-5, 5],
        ylim: [-4, 0.25],
        xlabel: "mean of q",
        ylabel: "nats",
        draw(plot, s) {
          plot.hline(-Math.log(4), { colour: "muted", width: 1, dash: [2, 4] });
          plot.text(-4.9, -Math.log(4), "−log 4", { colour: "muted", dy: 9 });
          plot.line(means, s.tops, { colour: "discriminator", dash: [7, 5], width: 2.5 });
          plot.line(means, s.vs, { colour: "other" });
          plot.line([s.meanQ, s.meanQ], [Math.max(s.v, -4), s.top], { colour: "muted", width: 1.5 });
          plot.points([s.meanQ, s.top], { colour: "discriminator", size: 5, alpha: 1 });
          plot.points([s.meanQ, s.v], { colour: "other", size: 5, alpha: 1 });
        },
      },
    ],
    readout: (s) => [
      ["V(D, G) of your D", s.v, "other"],
      ["V(D^*, G)", s.top, "discriminator"],
      ["2 JSD − log 4", 2 * s.jsd - Math.log(4)],
      ["your D leaves", s.top - s.v],
      ["JSD(p, q)", s.jsd],
    ],
    values: (s) => ({
      v: s.v,
      top: s.top,
      criterion: 2 * s.jsd - Math.log(4),
      jsd: s.jsd,
      meanQ: s.meanQ,
      sdQ: s.sdQ,
      slope: s.slope,
      cut: s.cut,
    }),
  });
}
