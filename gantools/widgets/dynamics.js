// The Dirac-GAN: field, path, eigenvalues and distance of a game of two numbers.
// The same mathematics as gantools/transport/dynamics.py, held together by tests/test_transport_dynamics.py.
import { explorable, linspace, number } from "./canvas.js";

const sigmoid = (a) => (a >= 0 ? 1 / (1 + Math.exp(-a)) : Math.exp(a) / (1 + Math.exp(a)));
const nodes = linspace(-7.2, 7.2, 73);
const bell = nodes.map((u) => Math.exp((-u * u) / 2));
const total = bell.reduce((sum, w) => sum + w, 0);
const weights = bell.map((w) => w / total);

// minus the slope of the generator's loss, and the slope of the discriminator's, at score s; and their bend
const lift = (loss, s) => (loss === "wasserstein" ? 1 : sigmoid(loss === "nonsaturating" ? -s : s));
const press = (loss, s) => (loss === "wasserstein" ? 1 : sigmoid(s));
const bend = (loss, s) => (loss === "wasserstein" ? 0 : sigmoid(s) * sigmoid(-s));

function consensus({ loss, strength }, theta, psi) {
  const s = theta * psi,
    [g, d, b] = [lift(loss, s), press(loss, s), bend(loss, s)];
  const t = loss === "nonsaturating" ? -b : b;
  const [v, w] = [psi * g, -theta * d];
  return [
    v - strength * (psi * psi * t * v + (-d - s * b) * w),
    w - strength * ((g + s * t) * v - theta * theta * b * w),
  ];
}
function generator(game, theta, psi) {
  const { loss, method, strength } = game;
  if (method === "consensus") return consensus(game, theta, psi)[0];
  if (method !== "noise" || loss === "wasserstein") return psi * lift(loss, theta * psi);
  let mean = 0;
  for (let i = 0; i < nodes.length; i++) mean += weights[i] * lift(loss, psi * (theta + strength * nodes[i]));
  return psi * mean;
}
function discriminator(game, theta, psi) {
  const { loss, method, strength } = game;
  if (method === "consensus") return consensus(game, theta, psi)[1];
  if (method === "noise" && loss !== "wasserstein") {
    let mean = 0;
    for (let i = 0; i < nodes.length; i++) {
      const real = strength * nodes[i],
        fake = theta + real;
      mean += weights[i] * (real * press(loss, -psi * real) - fake * press(loss, psi * fake));
    }
    return mean;
  }
  const push = -theta * press(loss, theta * psi);
  if (method === "r1") return push - strength * psi;
  if (method === "gp") return push - 2 * strength * (Math.abs(psi) - 1) * Math.sign(psi);
  return push;
}
const project = ({ method, strength }, psi) =>
  method === "clip" ? Math.min(Math.max(psi, -strength), strength) : psi;

// one turn: both at once, or the discriminator's n steps and then the generator's answer
function turn(game, theta, psi) {
  const { h } = game;
  if (!game.alternating)
    return [
      theta + h * generator(game, theta, psi),
      project(game, psi + h * discriminator(game, theta, psi)),
    ];
  for (let i = 0; i < game.n; i++) psi = project(game, psi + h * discriminator(game, theta, psi));
  return [theta + h * generator(game, theta, psi), psi];
}
function run(game, theta, psi, turns) {
  const path = { theta: [theta], psi: [psi], r: [Math.hypot(theta, psi)] };
  for (let k = 0; k < turns && path.r[k] < 1e9; k++) {
    [theta, psi] = turn(game, theta, psi);
    (path.theta.push(theta), path.psi.push(psi), path.r.push(Math.hypot(theta, psi)));
  }
  return path;
}

// the Jacobian at the equilibrium, [a, b, c, d] row by row, and what a turn does to small deviations
function jacobian({ loss, method, strength }) {
  const c = loss === "wasserstein" ? 1 : 0.5;
  const damping = method === "r1" ? strength : method === "noise" ? 2 * strength ** 2 * bend(loss, 0) : 0;
  const both = method === "consensus" ? strength * c * c : 0;
  return [-both, c, -c, -both - damping];
}
const times = ([a, b, c, d], [e, f, g, h]) => [a * e + b * g, a * f + b * h, c * e + d * g, c * f + d * h];
function update(game) {
  const [a, b, c, d] = jacobian(game).map((v) => game.h * v);
  if (!game.alternating) return [1 + a, b, c, 1 + d];
  let matrix = [1 + a, b, 0, 1];
  for (let i = 0; i < game.n; i++) matrix = times(matrix, [1, 0, c, 1 + d]);
  return matrix;
}
function eigenvalues([a, b, c, d]) {
  const middle = (a + d) / 2,
    square = (a - d) ** 2 / 4 + b * c,
    root = Math.sqrt(Math.abs(square));
  return square < 0
    ? [
        [middle, root],
        [middle, -root],
      ]
    : [
        [middle + root, 0],
        [middle - root, 0],
      ];
}
function judge(game) {
  if (game.method === "gp") return { verdict: "jumps", radius: NaN, field: [], values: [] };
  const values = eigenvalues(update(game));
  const radius = Math.max(...values.map(([re, im]) => Math.hypot(re, im)));
  const verdict = Math.abs(radius - 1) < 1e-12 ? "undecided" : radius < 1 ? "attracts" : "repels";
  return { verdict, radius, field: eigenvalues(jacobian(game)), values };
}

const side = linspace(-2.8, 2.8, 15);
function arrows(game) {
  const at = [],
    along = [];
  for (const theta of side)
    for (const psi of side) {
      let v = generator(game, theta, psi),
        w = discriminator(game, theta, psi);
      if (game.method === "clip" && Math.abs(psi) >= game.strength)
        w = -Math.sign(psi) * Math.max(0, -w * Math.sign(psi));
      const size = Math.hypot(v, w);
      if (!(size > 1e-9)) continue;
      ((v *= 0.3 / size), (w *= 0.3 / size));
      (at.push(theta - v / 2, psi - w / 2), along.push(v, w));
    }
  return { at, along };
}

const SAYS = {
  attracts: "attracts: runs from near by settle, at this rate",
  repels: "repels: runs do not settle here",
  undecided: "undecided: a radius of exactly 1",
  jumps: "the field jumps at ψ = 0: runs do not settle here",
};
const pair = (values) => {
  if (!values.length) return "none: the field jumps there";
  const [[re, im], [other]] = values;
  return im > 1e-7 ? `${number(re)} ± ${number(im)} i` : `${number(re)} and ${number(other)}`;
};

export default function dynamics(root) {
  const start = {
    loss: "wasserstein",
    method: "none",
    strength: 1,
    h: 0.1,
    order: "simultaneous",
    n: 1,
    theta: 1,
    psi: 1,
    turns: 200,
  };
  const range = (id, label, min, max, step, more = {}) => ({
    id,
    label,
    min,
    max,
    step,
    value: start[id],
    ...more,
  });
  const whole = { format: (v) => String(v) };
  explorable(root, {
    title: "The Dirac-GAN: do the steps arrive?",
    legend: [
      ["grid", "the game's field"],
      ["other", "gradient steps"],
      ["discriminator", "eigenvalues of a turn", "dot"],
      ["ink", "equilibrium; unit circle"],
      ["muted", "what the spectral radius predicts", "dash"],
    ],
    controls: [
      {
        id: "loss",
        label: "loss",
        type: "select",
        value: start.loss,
        options: [
          { value: "wasserstein", label: "Wasserstein" },
          { value: "minimax", label: "minimax" },
          { value: "nonsaturating", label: "non-saturating" },
        ],
      },
      {
        id: "method",
        label: "method",
        type: "select",
        value: start.method,
        options: [
          { value: "none", label: "none" },
          { value: "clip", label: "clipping to [−b, b]" },
          { value: "gp", label: "gradient penalty λ" },
          { value: "r1", label: "R1 (or R2), γ" },
          { value: "noise", label: "instance noise τ, averaged" },
          { value: "consensus", label: "consensus κ" },
        ],
      },
      range("h", "step size h", 0.01, 2.2, 0.01),
      range("strength", "strength of the method: b, λ, γ, τ or κ", 0.05, 4, 0.05),
      {
        id: "order",
        label: "who moves when",
        type: "select",
        value: start.order,
        options: [
          { value: "simultaneous", label: "both at once" },
          { value: "alternating", label: "discriminator, then generator" },
        ],
      },
      range("n", "n_d, the discriminator's steps a turn (not if both move at once)", 1, 10, 1, whole),
      range("theta", "θ at the start", -3, 3, 0.05),
      range("psi", "ψ at the start", -3, 3, 0.05),
      range("turns", "turns", 50, 2000, 50, whole),
      {
        id: "brake",
        label: "R1, critically damped",
        type: "button",
        press: (s, set) => set({ method: "r1", strength: s.loss === "wasserstein" ? 2 : 1 }),
      },
      { id: "reset", label: "Back to the start", type: "button", press: (s, set) => set(start) },
    ],
    derive(s) {
      const { loss, method, strength, h } = s;
      const game = { loss, method, strength, h, alternating: s.order === "alternating", n: s.n };
      return { game, path: run(game, s.theta, s.psi, s.turns), arrows: arrows(game), ...judge(game) };
    },
    plots: [
      {
        title: "the game (drag the start)",
        alt: "The plane of theta and psi with the field's arrows and the path of the gradient steps",
        xlim: [-3, 3],
        ylim: [-3, 3],
        xlabel: "θ, the generator's point",
        ylabel: "ψ, the discriminator's slope",
        equal: true,
        grid: false,
        draw(plot, s) {
          plot.arrows(s.arrows.at, s.arrows.along, { colour: "grid", width: 1.2, head: 4 });
          const border = s.method === "clip" ? s.strength : s.method === "gp" ? 1 : 0;
          if (border)
            for (const y of [-border, border]) plot.hline(y, { colour: "muted", dash: [5, 4], width: 1 });
          plot.line([-0.12, 0.12], [0, 0], { colour: "ink" });
          plot.line([0, 0], [-0.12, 0.12], { colour: "ink" });
          plot.line(s.path.theta, s.path.psi, { colour: "other", width: 1.6 });
          plot.points([s.path.theta.at(-1), s.path.psi.at(-1)], { colour: "other", size: 4.5, alpha: 1 });
        },
        handles: [
          { x: (s) => s.theta, y: (s) => s.psi, colour: "generated", move: (x, y) => ({ theta: x, psi: y }) },
        ],
      },
      {
        title: "eigenvalues of a turn",
        alt: "The complex plane with the unit circle and the two eigenvalues of the linear part of a turn",
        xlim: (s) => [-zoom(s), zoom(s)],
        ylim: (s) => [-zoom(s), zoom(s)],
        xlabel: "real part",
        ylabel: "imaginary part",
        equal: true,
        draw(plot, s) {
          const angle = linspace(0, 2 * Math.PI, 181);
          plot.line(angle.map(Math.cos), angle.map(Math.sin), { colour: "ink", width: 1.4 });
          plot.vline(0, { colour: "grid", width: 1 });
          plot.hline(0, { colour: "grid", width: 1 });
          if (s.values.length) plot.points(s.values.flat(), { colour: "discriminator", size: 6, alpha: 1 });
          else plot.text(0, 0, "no linear part", { colour: "muted", align: "center", dy: -12 });
        },
      },
      {
        title: "distance to the equilibrium, on a log scale",
        alt: "The distance of the path from the equilibrium after each turn, on a logarithmic scale",
        xlim: (s) => [0, s.turns],
        ylim: (s) => decades(s.path.r),
        yscale: "log",
        xlabel: "turns",
        ylabel: "distance",
        basis: "100%",
        aspect: 0.36,
        draw(plot, s) {
          if (s.values.length) {
            // ten decades at most: farther out the pen is held at an edge and the slope is wrong
            const last = Math.min(s.turns, 23 / Math.max(1e-9, Math.abs(Math.log(s.radius))));
            plot.line([0, last], [s.path.r[0], s.path.r[0] * s.radius ** last], {
              colour: "muted",
              dash: [6, 5],
              width: 1.6,
            });
          }
          plot.line(
            s.path.r.map((_, k) => k),
            s.path.r.map((r) => Math.max(r, 1e-300)),
            { colour: "other" },
          );
        },
      },
    ],
    readout: (s) => [
      ["eigenvalues of the field", pair(s.field)],
      ["eigenvalues of a turn", pair(s.values), "discriminator"],
      ["spectral radius", s.values.length ? number(s.radius, 5) : "none"],
      ["the equilibrium", SAYS[s.verdict]],
      [`distance after ${s.path.r.length - 1} turns`, number(s.path.r.at(-1), 4), "other"],
    ],
    values: (s) => ({
      verdict: s.verdict,
      radius: s.radius,
      field: s.field.flat(),
      turn: s.values.flat(),
      theta: s.path.theta.at(-1),
      psi: s.path.psi.at(-1),
      middle: s.path.r[s.path.r.length >> 1],
      speed: [generator(s.game, s.theta, s.psi), discriminator(s.game, s.theta, s.psi)],
    }),
  });
}
const zoom = (s) => 1.35 * Math.max(1, Math.min(4, s.radius || 1));
// whole powers of ten around the distances, three at least
function decades(r) {
  const low = Math.max(-8, Math.floor(Math.log10(Math.max(1e-300, Math.min(...r)))));
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...r, 1e-8))));
  return high - low < 3 ? [10 ** (low - 1), 10 ** (high + 1)] : [10 ** low, 10 ** high];
}
