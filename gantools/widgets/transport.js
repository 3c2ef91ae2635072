// Two figures on transport: heaps and pits with the cheapest plan between them, and two generators on parallel lines.
import { explorable, linspace, number } from "./canvas.js";
import { between } from "./vanishing.js";

// ---- the exact solver: successive shortest paths, for a handful of points
const DUST = 1e-12;

// shortest distances from every source that has mass left (start 0), through the residual ways
function distances(start, plan, cost) {
  const n = cost.length,
    m = cost[0].length;
  const left = start.slice(),
    right = Array(m).fill(Infinity),
    fromRight = Array(n).fill(-1),
    fromLeft = Array(m).fill(-1);
  for (let round = 0, better = true; better && round <= n + m; round++) {
    better = false;
    for (let i = 0; i < n; i++)
      for (let j = 0; j < m; j++) {
        if (left[i] + cost[i][j] < right[j] - DUST)
          ((right[j] = left[i] + cost[i][j]), (fromLeft[j] = i), (better = true));
        if (plan[i][j] > DUST && right[j] - cost[i][j] < left[i] - DUST)
          ((left[i] = right[j] - cost[i][j]), (fromRight[i] = j), (better = true));
      }
  }
  return { left, right, fromLeft, fromRight };
}

// the cheapest plan between masses p and q of one total, and prices f, g with f_i + g_j <= cost
export function solve(p, q, cost) {
  const plan = p.map(() => Array(q.length).fill(0)),
    supply = p.slice(),
    demand = q.slice();
  for (let step = 0; step < 1000; step++) {
    const start = supply.map((s) => (s > DUST ? 0 : Infinity));
    const found = distances(start, plan, cost);
    let end = -1;
    for (let j = 0; j < q.length; j++)
      if (demand[j] > DUST && (end < 0 || found.right[j] < found.right[end])) end = j;
    if (end < 0 || !Number.isFinite(found.right[end])) break;
    const way = []; // ways taken forwards and backwards, from the end to a source
    let i = found.fromLeft[end],
      amount = demand[end];
    for (let j = end; ;) {
      way.push([i, j, 1]);
      if (found.fromRight[i] < 0) break;
      j = found.fromRight[i];
      (way.push([i, j, -1]), (amount = Math.min(amount, plan[i][j])), (i = found.fromLeft[j]));
    }
    amount = Math.min(amount, supply[i]);
    for (const [a, b, sign] of way) plan[a][b] = Math.max(0, plan[a][b] + sign * amount);
    ((supply[i] -= amount), (demand[end] -= amount));
  }
  // prices: shortest distances from anywhere; there is no negative round trip at the optimum
  const { left, right } = distances(Array(p.length).fill(0), plan, cost);
  const f = left.map((d) => left[0] - d),
    g = right.map((d) => d - left[0]);
  return { plan, f, g };
}

// ---- heaps and pits
const COSTS = {
  distance: [(d) => d, "‖x − y‖"],
  squared: [(d) => d * d, "‖x − y‖^2"],
  root: [(d) => Math.sqrt(d), "√‖x − y‖"],
};
const START = {
  p: [0.3, 0.3, 0.2, 0.2],
  q: [0.25, 0.25, 0.25, 0.25],
  heaps: [
    [-2.2, 1.2],
    [-1.6, -0.4],
    [-0.5, 1.7],
    [-0.6, -1.4],
  ],
  pits: [
    [0.4, 0.5],
    [1.4, 1.5],
    [2.1, -0.1],
    [1.2, -1.5],
  ],
};
const NAMES = ["p_1", "p_2", "p_3", "p_4", "q_1", "q_2", "q_3", "q_4"];
const side = (k) => (k < 4 ? ["p", "heaps", k] : ["q", "pits", k - 4]);
const within = (v, lo, hi) => Math.min(hi, Math.max(lo, v));

// one mass set, the others of its side share the rest as they shared it before
export function share(masses, k, value) {
  const v = within(value, 0, 1),
    rest = 1 - masses[k],
    others = masses.length - 1;
  return masses.map((w, i) => (i === k ? v : rest > 1e-9 ? (w * (1 - v)) / rest : (1 - v) / others));
}
const moved = (places, k, x, y) =>
  places.map((at, i) => (i === k ? [within(x, -3, 3), within(y, -2.2, 2.2)] : at));

const copied = () => ({
  p: START.p.slice(),
  q: START.q.slice(),
  heaps: START.heaps.map((at) => at.slice()),
  pits: START.pits.map((at) => at.slice()),
});

function derive(s) {
  if (!s.p) Object.assign(s, copied());
  const flat = (at) => (s.place === "line" ? [at[0], 0] : at);
  const [price] = COSTS[s.cost];
  const cost = s.heaps.map((a) =>
    s.pits.map((b) => price(Math.hypot(flat(a)[0] - flat(b)[0], flat(a)[1] - flat(b)[1]))),
  );
  const { plan, f, g } = solve(s.p, s.q, cost);
  const slack = cost.map((row, i) => row.map((c, j) => c - f[i] - g[j]));
  const sum = (fn) => plan.reduce((t, row, i) => t + row.reduce((u, w, j) => u + fn(w, i, j), 0), 0);
  return {
    costs: cost,
    plan,
    f,
    g,
    slack,
    total: sum((w, i, j) => w * cost[i][j]),
    earned: s.p.reduce((t, w, i) => t + w * f[i], 0) + s.q.reduce((t, w, j) => t + w * g[j], 0),
    worst: Math.min(...slack.flat()),
    product: Math.max(...plan.flatMap((row, i) => row.map((w, j) => w * slack[i][j]))),
    split: plan.filter((row) => row.filter((w) => w > 1e-9).length > 1).length,
  };
}

// what the keyboard edits: one point, its place and its mass
function picked(s) {
  const [masses, places, i] = side(+s.point);
  return { x: s[places][i][0], y: s[places][i][1], mass: s[masses][i] };
}
// changes of the state, and the sliders of the picked point brought into line
function edit(s, changes) {
  const next = { ...s, ...changes };
  return { ...changes, ...picked(next) };
}
function place(s, k, x, y) {
  const [, places, i] = side(k);
  return edit(s, {
    point: String(k),
    [places]: moved(s[places], i, x, s.place === "line" ? s[places][i][1] : y),
  });
}
function weigh(s, k, value) {
  const [masses, , i] = side(k);
  return edit(s, { point: String(k), [masses]: share(s[masses], i, value) });
}

const at = (s, k) => {
  const [, places, i] = side(k);
  return s.place === "line" ? [s[places][i][0], 0] : s[places][i];
};
const colourOf = (k) => (k < 4 ? "data" : "generated");

function drawPlane(plot, s) {
  if (s.place === "line") plot.hline(0, { colour: "grid", width: 1 });
  s.plan.forEach((row, i) =>
    row.forEach((mass, j) => {
      if (mass < 1e-9) return;
      const [x, y] = at(s, i),
        [u, v] = at(s, j + 4),
        width = 1.2 + 16 * mass;
      if (s.place === "line") {
        // arcs, so that ways over one another can be told apart
        const ts = linspace(0, 1, 40),
          rise = 0.25 + 0.3 * Math.abs(u - x);
        plot.line(
          ts.map((t) => x + (u - x) * t),
          ts.map((t) => 4 * rise * t * (1 - t) * (u < x ? -1 : 1)),
          { colour: "ink", width, alpha: 0.35 },
        );
      } else plot.arrows([x, y], [u - x, v - y], { colour: "ink", width, alpha: 0.4, head: 6 + width });
    }),
  );
  for (let k = 0; k < 8; k++) {
    const [masses, , i] = side(k),
      [x, y] = at(s, k);
    plot.points([x, y], { colour: colourOf(k), size: 6 + 16 * Math.sqrt(s[masses][i]), alpha: 0.45 });
    plot.text(x, y, NAMES[k], {
      colour: colourOf(k),
      dx: 9,
      dy: (k < 4 ? -13 : 14) * (s.place === "line" ? 1 + (k % 2) : 1),
      bold: true,
    });
  }
}

function drawMasses(plot, s) {
  for (let k = 0; k < 8; k++) {
    const [masses, , i] = side(k);
    plot.bars([k + (k > 3 ? 1 : 0)], [s[masses][i]], { width: 0.7, colour: colourOf(k), alpha: 0.55 });
  }
}

function drawTable(plot, s) {
  const fits = !plot.small;
  for (let i = 0; i < 4; i++)
    for (let j = 0; j < 4; j++) {
      const x = j + 0.5,
        y = 3.5 - i,
        half = 0.46 * Math.sqrt(s.plan[i][j]);
      plot.line([j, j + 1, j + 1, j, j], [3 - i, 3 - i, 4 - i, 4 - i, 3 - i], { colour: "grid", width: 1 });
      if (s.plan[i][j] > 1e-9)
        (plot.area([x - half, x + half], [y + half, y + half], {
          base: [y - half, y - half],
          colour: "discriminator",
          alpha: 0.75,
        }),
          plot.text(x, y - 0.38, number(s.plan[i][j], 2), { align: "center", size: 11 }));
      else if (s.slack[i][j] > 1e-9)
        plot.text(x, y, `+${number(s.slack[i][j], fits ? 2 : 1)}`, {
          align: "center",
          colour: "muted",
          size: fits ? 12 : 10.5,
        });
      else plot.text(x, y, "0", { align: "center", colour: "discriminator", bold: true });
    }
  for (let k = 0; k < 4; k++) {
    plot.text(-0.12, 3.5 - k, `f_${k + 1} = ${number(s.f[k], 2)}`, { align: "right", colour: "data" });
    plot.text(k + 0.5, k % 2 ? -0.72 : -0.32, `g_${k + 1} = ${number(s.g[k], 2)}`, {
      align: "center",
      colour: "generated",
    });
  }
}

const routes = (s) =>
  s.plan
    .flatMap((row, i) => row.map((w, j) => [w, `${i + 1}→${j + 1}: ${number(w, 2)}`]))
    .filter(([w]) => w > 1e-9)
    .map(([, words]) => words)
    .join(", ");

export default function transport(root) {
  const points = Array.from({ length: 8 }, (_, k) => k);
  explorable(root, {
    title: "The cheapest way to carry four heaps to four pits",
    legend: [
      ["data", "heaps, p", "dot"],
      ["generated", "pits, q", "dot"],
      ["ink", "what is carried"],
      ["discriminator", "the plan as a table", "area"],
    ],
    controls: [
      {
        id: "cost",
        label: "a unit costs",
        type: "select",
        value: "distance",
        options: [
          { value: "distance", label: "the distance" },
          { value: "squared", label: "its square" },
          { value: "root", label: "its root" },
        ],
      },
      {
        id: "place",
        label: "the points lie",
        type: "select",
        value: "plane",
        options: [
          { value: "plane", label: "in the plane" },
          { value: "line", label: "on a line" },
        ],
      },
      {
        id: "point",
        label: "edit",
        type: "select",
        value: "0",
        options: points.map((k) => ({ value: String(k), label: `${k < 4 ? "heap" : "pit"} ${(k % 4) + 1}` })),
        change: (v, s) => picked(s),
      },
      {
        id: "x",
        label: "its x",
        min: -3,
        max: 3,
        step: 0.05,
        value: START.heaps[0][0],
        change: (x, s) => place(s, +s.point, x, s.y),
      },
      {
        id: "y",
        label: "its y",
        min: -2.2,
        max: 2.2,
        step: 0.05,
        value: START.heaps[0][1],
        change: (y, s) => place(s, +s.point, s.x, y),
      },
      {
        id: "mass",
        label: "its mass",
        min: 0,
        max: 1,
        step: 0.01,
        value: START.p[0],
        change: (v, s) => weigh(s, +s.point, v),
      },
      {
        id: "two",
        label: "One heap, two pits",
        type: "button",
        title: "a job that no map can do",
        press: (s, set) => set(edit(s, { p: [1, 0, 0, 0], q: [0, 0.5, 0, 0.5] })),
      },
      {
        id: "equal",
        label: "All masses equal",
        type: "button",
        title: "then one of the best plans is a map",
        press: (s, set) => set(edit(s, { p: Array(4).fill(0.25), q: Array(4).fill(0.25) })),
      },
      {
        id: "reset",
        label: "Back to the start",
        type: "button",
        press: (s, set) =>
          set({ cost: "distance", place: "plane", ...edit({ ...s, point: "0" }, copied()), point: "0" }),
      },
    ],
    derive,
    plots: [
      {
        title: "the cheapest plan (drag the points)",
        alt: "Heaps and pits as dots, the plan as arrows as wide as the mass they carry",
        xlim: [-3.2, 3.2],
        ylim: [-2.4, 2.4],
        equal: true,
        xlabel: "x",
        ylabel: "y",
        draw: drawPlane,
        handles: points.map((k) => ({
          x: (s) => at(s, k)[0],
          y: (s) => at(s, k)[1],
          colour: colourOf(k),
          move: (x, y, s) => place(s, k, x, y),
        })),
      },
      {
        title: "the same plan as a table, with prices; +: cost minus price of an unused way",
        alt: "Squares whose area is the mass moved from heap i to pit j; at the edges the prices f and g",
        xlim: [-1.25, 4.1],
        ylim: [-1, 4.1],
        equal: true,
        axes: false,
        draw: drawTable,
      },
      {
        title: "masses (drag the tops; the others of its side share the rest)",
        alt: "Bars of the masses of the four heaps and of the four pits",
        xlim: [-0.6, 8.6],
        ylim: [0, 1],
        ylabel: "mass",
        xticks: NAMES.map((name, k) => [k + (k > 3 ? 1 : 0), (k < 4 ? "p" : "q") + "₁₂₃₄"[k % 4]]),
        basis: "100%",
        aspect: 0.3,
        least: 170,
        draw: drawMasses,
        handles: points.map((k) => ({
          x: () => k + (k > 3 ? 1 : 0),
          y: (s) => s[side(k)[0]][side(k)[2]],
          colour: colourOf(k),
          move: (x, y, s) => weigh(s, k, y),
        })),
      },
    ],
    readout: (s) => [
      ["cost of the plan", s.total],
      ["what the prices earn", s.earned],
      ["least slack", Math.max(0, s.worst)],
      ["heaps that are split", s.split ? String(s.split) : "none: this plan is a map"],
      ["carried", routes(s)],
    ],
    values: ({ p, q, costs, plan, f, g, total, earned, worst, product, split, heaps, pits }) => ({
      ...{ p, q, costs, plan, f, g, total, earned, worst, product, split, heaps, pits },
    }),
  });
}

// ---- parallel lines: one generator follows the slope of W1, another that of the JSD
const thetas = linspace(-1.5, 1.5, 301);
const RATE = 0.05;
const PAIR = [
  ["w", "w1", "other", "W_1"],
  ["j", "jsd", "discriminator", "JSD"],
];
let asked = -1,
  kept = [];
const sweep = (sigma) =>
  sigma === asked ? kept : ((asked = sigma), (kept = Array.from(thetas, (t) => between(t, sigma))));

// plain gradient descent; where there is no slope (the tip of the V, a jump) it stays
export function walk(theta, sigma, name, steps) {
  let t = theta;
  for (let k = 0; k < steps; k++) t -= RATE * (between(t, sigma)[`d${name}`] || 0);
  return Math.abs(t) < 1e-12 ? 0 : t;
}
const step = (s, steps) =>
  Object.fromEntries(PAIR.map(([id, name]) => [id, walk(s[id], s.sigma, name, steps)]));
const begin = (theta) => ({ theta, w: theta, j: theta });

function drawCurve(plot, s, [id, name, colour, label]) {
  const ys = s.along.map((row, i) =>
    s.sigma === 0 && name !== "w1" && Math.abs(thetas[i]) < 1e-9 ? NaN : row[name],
  );
  if (name === "jsd") {
    (plot.hline(Math.LN2, { colour: "grid", width: 1 }),
      plot.text(-1.45, Math.LN2, "log 2", { colour: "muted", dy: -9 }));
    for (const [other, role, dash] of [
      ["kl", "extra", [2, 4]],
      ["tv", "muted", [8, 4]],
    ])
      plot.line(
        thetas,
        s.along.map((row, i) =>
          s.sigma === 0 && Math.abs(thetas[i]) < 1e-9 ? NaN : Math.min(row[other], 9),
        ),
        { colour: role, dash, width: 1.6 },
      );
    if (s.sigma === 0)
      (plot.points([0, 0], { colour: "ink", size: 3.5, alpha: 1 }),
        plot.text(0, 1.52, "KL = ∞ for every θ ≠ 0", { colour: "extra", align: "center" }));
  }
  plot.line(thetas, ys, { colour, width: 2.6 });
  const here = between(s[id], s.sigma),
    slope = here[`d${name}`] || 0;
  const reach = 0.45;
  plot.line([s[id] - reach, s[id] + reach], [here[name] - reach * slope, here[name] + reach * slope], {
    colour: "ink",
    width: 1.5,
    dash: [5, 4],
  });
  if (Math.abs(s.theta - s[id]) > 1e-9)
    plot.points([s.theta, between(s.theta, s.sigma)[name]], { colour, size: 5, ring: true, alpha: 0.8 });
  plot.text(s[id], here[name], `slope of ${label}: ${number(slope, 3)}`, {
    colour,
    align: s[id] > 0.5 ? "right" : s[id] < -0.5 ? "left" : "center",
    dy: -16,
    bold: true,
  });
}

export function lines(root) {
  const axes = { xlim: [-1.5, 1.5], ylim: [0, 1.65], xlabel: "θ", aspect: 0.8 };
  const knob = ([id, name, colour]) => ({
    x: (s) => s[id],
    y: (s) => Math.min(1.6, between(s[id], s.sigma)[name]),
    colour,
    move: (x) => begin(within(x, -1.5, 1.5)),
  });
  explorable(root, {
    title: "Parallel lines: who can learn from which slope?",
    legend: [
      ["other", "W_1 = W_2, and the generator that follows it"],
      ["discriminator", "JSD, and the generator that follows it"],
      ["muted", "TV", "dash"],
      ["extra", "KL", "dash"],
    ],
    controls: [
      {
        id: "theta",
        label: "θ, where both generators start",
        min: -1.5,
        max: 1.5,
        step: 0.01,
        value: 1,
        change: begin,
      },
      { id: "sigma", label: "σ, the noise on both lines", min: 0, max: 0.6, step: 0.01, value: 0 },
      { id: "one", label: "One step", type: "button", press: (s, set) => set(step(s, 1)) },
      { id: "ten", label: "Ten steps", type: "button", press: (s, set) => set(step(s, 10)) },
      { id: "noise", label: "Add noise", type: "button", press: (s, set) => set({ sigma: 0.3 }) },
      {
        id: "reset",
        label: "Back to the start",
        type: "button",
        press: (s, set) => set({ ...begin(1), sigma: 0 }),
      },
    ],
    derive(s) {
      if (s.w === undefined) Object.assign(s, begin(s.theta));
      return { along: sweep(s.sigma), atW: between(s.w, s.sigma), atJ: between(s.j, s.sigma) };
    },
    plots: [
      {
        ...axes,
        title: "W_1 against θ",
        ylabel: "W_1",
        alt: "W1 as a function of theta: a V with slopes minus one and one, with and without noise",
        draw: (plot, s) => drawCurve(plot, s, PAIR[0]),
        handles: [knob(PAIR[0])],
      },
      {
        ...axes,
        title: "JSD against θ, with TV and KL",
        ylabel: "JSD, KL: nats; TV",
        alt: "JSD, TV and KL as functions of theta: flat without noise, bowls with noise",
        draw: (plot, s) => drawCurve(plot, s, PAIR[1]),
        handles: [knob(PAIR[1])],
      },
      {
        title: "the lines: data at 0, the two generators where they are now",
        alt: "Three vertical lines: the data at zero and the two generators",
        xlim: [-1.5, 1.5],
        ylim: [0, 1],
        xlabel: "x",
        yticks: [],
        grid: false,
        basis: "100%",
        aspect: 0.16,
        least: 110,
        draw(plot, s) {
          for (const [x, colour, low, high] of [
            [0, "data", 0.04, 0.94],
            [s.w, "other", 0.52, 0.94],
            [s.j, "discriminator", 0.04, 0.46],
          ]) {
            if (s.sigma)
              plot.area(
                [x - 2 * s.sigma, x - s.sigma, x, x + s.sigma, x + 2 * s.sigma],
                [0, 0.6, 1, 0.6, 0].map((v) => low + v * (high - low)),
                { base: low, colour, alpha: 0.18 },
              );
            plot.line([x, x], [low, high], { colour, width: 4 });
          }
        },
      },
    ],
    readout: (s) => [
      ["θ of the generator on W_1", s.w, "other"],
      ["W_1 = W_2", s.atW.w1, "other"],
      ["slope", s.atW.dw1 || 0, "other"],
      ["θ of the generator on the JSD", s.j, "discriminator"],
      ["JSD", s.atJ.jsd, "discriminator"],
      ["slope", s.atJ.djsd || 0, "discriminator"],
      ["TV there", s.atJ.tv],
      ["KL there", s.atJ.kl, "extra"],
    ],
    values: (s) => ({
      ...{ theta: s.theta, sigma: s.sigma, w: s.w, j: s.j, w1: s.atW.w1, dw1: s.atW.dw1 },
      ...{ jsd: s.atJ.jsd, djsd: s.atJ.djsd, tv: s.atJ.tv, kl: s.atJ.kl },
    }),
  });
}
