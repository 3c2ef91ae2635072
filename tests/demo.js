import { explorable, linspace, normalPdf, number, random, ticks, trapezoid } from "./canvas.js";

const xs = linspace(-5, 5, 400);

// the base's own mathematics, for the tests
const few = linspace(-2, 2, 9);
const pdf = Array.from(few, (x) => normalPdf(x, 0.5, 2));
const draw = random(1);
const check = {
  pdf,
  area: trapezoid(pdf, few),
  normal: Array.from({ length: 1000 }, draw.normal),
  again: random(1).normal(),
  words: [Infinity, -Infinity, NaN, -0.5, -1e-12 * 0, 1e-7].map((v) => number(v)),
  ticks: ticks(-2, 2, 5).found,
};

export default function demo(root) {
  explorable(root, {
    title: "Two laws and their divergence",
    legend: [
      ["data", "p_data"],
      ["generated", "p_g"],
      ["discriminator", "D*", "dash"],
    ],
    controls: [
      { id: "mean", label: "mean of p_g", min: -4, max: 4, step: 0.05, value: 1.5 },
      { id: "sd", label: "spread of p_g", min: 0.2, max: 3, step: 0.05, value: 1 },
      { id: "what", label: "show p_{g,2}", type: "select", options: ["p", "log p"], value: "p" },
      { id: "fill", label: "fill", type: "check", value: true },
      {
        id: "reset",
        label: "Back to the start",
        type: "button",
        press: (s, set) => set({ mean: 1.5, sd: 1 }),
      },
    ],
    derive: (s) => {
      const p = xs.map((x) => normalPdf(x)),
        q = xs.map((x) => normalPdf(x, s.mean, s.sd));
      return {
        p,
        q,
        kl: trapezoid(
          p.map((v, i) => v * Math.log(v / q[i])),
          xs,
        ),
      };
    },
    plots: [
      {
        xlim: [-5, 5],
        ylim: [0, 1],
        xlabel: "x",
        ylabel: "density",
        draw(p, s) {
          if (s.fill) (p.area(xs, s.p, { colour: "data" }), p.area(xs, s.q, { colour: "generated" }));
          p.line(xs, s.p, { colour: "data" });
          p.line(xs, s.q, { colour: "generated" });
          p.curve((x) => normalPdf(x) / (normalPdf(x) + normalPdf(x, s.mean, s.sd)), {
            colour: "discriminator",
            dash: [6, 5],
          });
        },
        handles: [
          {
            x: (s) => s.mean,
            y: (s) => normalPdf(0, 0, s.sd),
            colour: "generated",
            move: (x, y) => ({ mean: x, sd: 0.3989 / Math.max(y, 0.1) }),
          },
        ],
      },
      {
        xlim: [-4, 4],
        ylim: [1e-2, 1e2],
        yscale: "log",
        xlabel: "mean of p_g",
        ylabel: "KL (nats)",
        draw(p, s) {
          p.curve((m) => Math.log(s.sd) + (1 + m * m) / (2 * s.sd ** 2) - 0.5, { colour: "muted" });
          p.points([s.mean, s.kl], { colour: "generated", size: 5 });
        },
      },
    ],
    readout: (s) => [
      ["KL(p_data ‖ p_g)", s.kl],
      ["mean", s.mean, "generated"],
      ["spread", s.sd],
    ],
    values: (s) => ({ kl: s.kl, check }),
  });
}
