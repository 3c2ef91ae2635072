// A critic made of straight pieces between two normal laws: what it reports, and what a gradient penalty charges.
import { explorable, linspace, normalPdf } from "./canvas.js";

const KNOTS = [-0.75, 0.75, 2.25, 3.75]; // between five pieces; the outer two go on for ever
const EDGES = [-40, ...KNOTS, 46];
const XLIM = [-4, 7];
const MIDDLES = [-2.4, 0, 1.5, 3, 5.4]; // where the handles stand
const STEEPEST = 3;
const IDS = ["a1", "a2", "a3", "a4", "a5"];
const PLACES = ["left of −0.75", "−0.75 to 0.75", "0.75 to 2.25", "2.25 to 3.75", "right of 3.75"];
const xs = linspace(XLIM[0], XLIM[1], 331);
const shares = Array.from({ length: 80 }, (_, k) => (k + 0.5) / 80);

// Φ by the all-positive series of erf; beyond six deviations it is 0 or 1
function phi(z) {
  if (Math.abs(z) > 6) return z > 0 ? 1 : 0;
  let term = z,
    total = z;
  for (let n = 1; Math.abs(term) > Math.abs(total) * 1e-16 + 1e-300; n++)
    ((term *= (z * z) / (2 * n + 1)), (total += term));
  return 0.5 + total * normalPdf(z);
}
// the integral of the distribution function of N(mean, sd) up to x
const integrated = (x, mean, sd) => (x - mean) * phi((x - mean) / sd) + sd * normalPdf((x - mean) / sd);

// what slope 1 on each piece earns: the integral of F_generated - F_data there
export function earnings(mean, sd) {
  const at = EDGES.map((x) => integrated(x, mean, sd) - integrated(x, 0, 1));
  return IDS.map((_, k) => at[k + 1] - at[k]);
}

// how much of the law of the mixtures e x + (1 - e) y lies on each piece
export function charged(mean, sd) {
  const below = EDGES.map((x) => {
    let sum = 0;
    for (const e of shares) sum += phi((x - (1 - e) * mean) / Math.hypot(e, (1 - e) * sd));
    return sum / shares.length;
  });
  return IDS.map((_, k) => below[k + 1] - below[k]);
}

function exact(mean, sd) {
  const n = 2000,
    low = -12,
    high = 16;
  let sum = 0;
  for (let i = 0; i < n; i++) {
    const x = low + ((i + 0.5) * (high - low)) / n;
    sum += Math.abs(phi(x) - phi((x - mean) / sd));
  }
  return (sum * (high - low)) / n;
}

const excess = (a, sided) => (sided === "one" ? Math.max(Math.abs(a) - 1, 0) : Math.abs(a) - 1);
const within = (a) => Math.max(-STEEPEST, Math.min(STEEPEST, a));

// where each slope ends if it climbs from where it is: the best slope, or the trap of the two-sided penalty
export function climb(slopes, s) {
  return slopes.map((a, k) => {
    const [b, cost] = [s.earns[k], 2 * s.weight * s.mass[k]];
    const wrong = 1 - Math.abs(b) / cost;
    if (s.sided === "two" && a * b < 0 && wrong > 0) return within(Math.sign(a) * wrong);
    return within(Math.sign(b) * (1 + Math.abs(b) / cost));
  });
}
const slopesOf = (s) => IDS.map((id) => s[id]);
const named = (slopes) => Object.fromEntries(IDS.map((id, k) => [id, slopes[k]]));

let asked = "",
  kept = {};
function laws(mean, sd) {
  const key = `${mean} ${sd}`;
  if (key !== asked)
    ((asked = key), (kept = { earns: earnings(mean, sd), mass: charged(mean, sd), w1: exact(mean, sd) }));
  return kept;
}

function measure(s) {
  const { earns, mass, w1 } = laws(s.mean, s.sd),
    slopes = slopesOf(s);
  const reported = slopes.reduce((sum, a, k) => sum + a * earns[k], 0);
  const penalty = s.weight * slopes.reduce((sum, a, k) => sum + mass[k] * excess(a, s.sided) ** 2, 0);
  const steepest = Math.max(...slopes.map(Math.abs));
  return { earns, mass, w1, reported, penalty, steepest, proven: steepest ? reported / steepest : 0 };
}

function critic(slopes) {
  let level = 0;
  const values = xs.map((x, i) => {
    if (i) {
      const middle = (x + xs[i - 1]) / 2;
      level += (x - xs[i - 1]) * slopes[KNOTS.filter((knot) => knot < middle).length];
    }
    return level;
  });
  const mean = values.reduce((a, b) => a + b) / values.length;
  return values.map((v) => v - mean);
}

const start = { mean: 3, sd: 1, weight: 10, sided: "two", ...named([-1, -1, -1, -1, -1]) };

export default function pieces(root) {
  explorable(root, {
    title: "A critic in five pieces: what it reports, and what its slopes cost",
    legend: [
      ["data", "p_data", "area"],
      ["generated", "p_g", "area"],
      ["discriminator", "the critic f"],
      ["muted", "where the penalty looks", "dash"],
    ],
    controls: [
      { id: "mean", label: "mean of p_g", min: 0, max: 4, step: 0.05, value: start.mean },
      { id: "sd", label: "spread of p_g", min: 0.3, max: 2, step: 0.05, value: start.sd },
      { id: "weight", label: "weight λ of the penalty", min: 0.5, max: 20, step: 0.5, value: start.weight },
      {
        id: "sided",
        label: "penalty",
        type: "select",
        options: [
          { value: "two", label: "two-sided" },
          { value: "one", label: "one-sided" },
        ],
        value: start.sided,
      },
      ...IDS.map((id, k) => ({
        id,
        label: `slope ${PLACES[k]}`,
        min: -STEEPEST,
        max: STEEPEST,
        step: 0.01,
        value: -1,
        format: (v) => v.toFixed(2),
      })),
      {
        id: "climb",
        label: "Let it climb from here",
        type: "button",
        press: (s, set) => set(named(climb(slopesOf(s), s))),
      },
      {
        id: "wrong",
        label: "Turn it the wrong way",
        type: "button",
        press: (s, set) => set(named(s.earns.map((b) => (b > 0 ? -0.2 : 0.2)))),
      },
      { id: "reset", label: "Back to the start", type: "button", press: (s, set) => set(start) },
    ],
    derive: measure,
    plots: [
      {
        title: "two laws, and where the penalty looks",
        alt: "The densities of data and generated samples, and that of the mixtures of pairs of them",
        xlim: XLIM,
        ylim: (s) => [0, 0.45 / Math.min(1, s.sd)],
        xlabel: "x",
        ylabel: "density",
        draw(p, s) {
          const bells = [xs.map((x) => normalPdf(x)), xs.map((x) => normalPdf(x, s.mean, s.sd))];
          bells.forEach((ys, k) => {
            const colour = k ? "generated" : "data";
            p.area(xs, ys, { base: 0, colour, alpha: 0.2 });
            p.line(xs, ys, { colour, width: 2 });
          });
          const between = xs.map((x) => {
            let sum = 0;
            for (const e of shares) sum += normalPdf(x, (1 - e) * s.mean, Math.hypot(e, (1 - e) * s.sd));
            return sum / shares.length;
          });
          p.line(xs, between, { colour: "muted", width: 1.8, dash: [5, 4] });
        },
      },
      {
        title: "the critic",
        alt: "The critic: a broken line of five pieces",
        xlim: XLIM,
        ylim: (s) => {
          const most = Math.max(1, ...critic(slopesOf(s)).map(Math.abs));
          return [-1.1 * most, 1.1 * most];
        },
        xlabel: "x",
        ylabel: "f(x)",
        draw(p, s) {
          for (const knot of KNOTS) p.vline(knot, { colour: "grid", width: 1 });
          p.line(xs, critic(slopesOf(s)), { colour: "discriminator", width: 2.4 });
        },
      },
      {
        title: "its slopes (drag them)",
        alt: "The slope of each of the five pieces; from -1 to 1 is allowed",
        xlim: XLIM,
        ylim: [-STEEPEST, STEEPEST],
        xlabel: "x",
        ylabel: "slope",
        draw(p, s) {
          p.area([XLIM[0], XLIM[1]], [1, 1], { base: -1, colour: "muted", alpha: 0.12 });
          p.hline(0, { colour: "grid", width: 1 });
          p.text(XLIM[1], 1, "allowed: −1 to 1", { colour: "muted", align: "right", dy: -8 });
          const ends = [XLIM[0], ...KNOTS, XLIM[1]];
          slopesOf(s).forEach((a, k) => {
            const outside = Math.abs(a) > 1.005;
            p.line([ends[k], ends[k + 1]], [a, a], { colour: "discriminator", width: outside ? 5 : 3 });
            if (k < KNOTS.length) p.vline(KNOTS[k], { colour: "grid", width: 1 });
          });
        },
        handles: IDS.map((id, k) => ({
          x: () => MIDDLES[k],
          y: (s) => s[id],
          colour: "discriminator",
          move: (x, y) => ({ [id]: y }),
        })),
      },
    ],
    readout: (s) => [
      ["reported difference", s.reported, "discriminator"],
      ["exact W_1", s.w1],
      ["penalty", s.penalty],
      ["difference − penalty", s.reported - s.penalty],
      ["steepest slope", s.steepest.toFixed(2)],
      ["proves at least", Math.max(s.proven, 0)],
    ],
    values: (s) => ({
      reported: s.reported,
      w1: s.w1,
      penalty: s.penalty,
      proven: s.proven,
      slopes: slopesOf(s),
      earns: s.earns,
      mass: s.mass,
    }),
  });
}
