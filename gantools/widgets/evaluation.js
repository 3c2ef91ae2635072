// One figure for the chapter on evaluation: ways to fail at a ring of eight, and what every metric says of them.
import { explorable, number, random } from "./canvas.js";

const MODES = 8,
  SD = 0.1,
  MOST = 400,
  DRAWS = 40,
  K = 5; // neighbours that make a ball
const SIZES = [10, 14, 20, 28, 40, 57, 80, 113, 160, 226, 320, 400];
const FINE = { shift: 0, spread: 1, missing: 0, copied: 0 };
const centre = (k) => [Math.cos((2 * Math.PI * k) / MODES), Math.sin((2 * Math.PI * k) / MODES)];
const CENTRES = Array.from({ length: MODES }, (_, k) => centre(k));

// what chance decides, dealt once for every draw: u picks a mode, a copy's original, or whether there is a copy
const dealt = new Map();
function deal(seed) {
  if (!dealt.has(seed)) {
    const { uniform, normal } = random(500 + seed);
    const one = () =>
      Array.from({ length: MOST }, () => ({
        u: uniform(),
        copy: uniform(),
        which: uniform(),
        z: [normal(), normal()],
      }));
    dealt.set(seed, { train: one(), held: one(), fake: one() });
  }
  return dealt.get(seed);
}

const real = (row) => CENTRES[Math.floor(row.u * MODES)].map((c, j) => c + SD * row.z[j]);
function made(row, s, train, n) {
  if (row.copy < s.copied) return train[Math.floor(row.which * n)];
  const [x, y] = CENTRES[Math.floor(row.u * (MODES - s.missing))];
  return [x + s.shift + s.spread * SD * row.z[0], y + s.spread * SD * row.z[1]];
}
export function draw(s, n, seed) {
  const hand = deal(seed),
    train = hand.train.slice(0, n).map(real);
  return {
    train,
    held: hand.held.slice(0, n).map(real),
    fake: hand.fake.slice(0, n).map((row) => made(row, s, train, n)),
  };
}

// ---- the Fréchet distance in the plane
function moments(points) {
  const n = points.length;
  let x = 0,
    y = 0,
    xx = 0,
    yy = 0,
    xy = 0;
  for (const [a, b] of points) ((x += a / n), (y += b / n));
  for (const [a, b] of points)
    ((xx += (a - x) ** 2 / (n - 1)), (yy += (b - y) ** 2 / (n - 1)), (xy += ((a - x) * (b - y)) / (n - 1)));
  return { x, y, xx, yy, xy };
}
// tr (S T)^(1/2) of two matrices of order 2: the root of tr ST + 2 (det S det T)^(1/2)
export function frechet(p, q) {
  const dets = Math.max(0, p.xx * p.yy - p.xy ** 2) * Math.max(0, q.xx * q.yy - q.xy ** 2);
  const root = Math.sqrt(p.xx * q.xx + 2 * p.xy * q.xy + p.yy * q.yy + 2 * Math.sqrt(dets));
  const value = (p.x - q.x) ** 2 + (p.y - q.y) ** 2 + p.xx + p.yy + q.xx + q.yy - 2 * root;
  return Math.max(0, value);
}

// mean and covariance of the law that makes so many modes at that spread and shift, mixed with the data's
export function truth(s) {
  const law = (kept, spread, shift) => {
    let x = 0,
      y = 0,
      xx = (spread * SD) ** 2,
      yy = xx,
      xy = 0;
    for (const [a, b] of CENTRES.slice(0, kept))
      ((x += a / kept), (y += b / kept), (xx += (a * a) / kept), (yy += (b * b) / kept), (xy += (a * b) / kept));
    // second moments about 0, after the shift
    return { x: x + shift, y, xx: xx + 2 * shift * x + shift ** 2, yy, xy: xy + shift * y };
  };
  const own = law(MODES - s.missing, s.spread, s.shift),
    data = law(MODES, 1, 0),
    mixed = {};
  for (const key of Object.keys(own)) mixed[key] = (1 - s.copied) * own[key] + s.copied * data[key];
  const centred = (m) => ({ ...m, xx: m.xx - m.x ** 2, yy: m.yy - m.y ** 2, xy: m.xy - m.x * m.y });
  return frechet(centred(mixed), centred(data));
}

// ---- the other metrics
const squared = (a, b) => (a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2;
const kernel = (a, b) => ((a[0] * b[0] + a[1] * b[1]) / 2 + 1) ** 3;
export function kid(p, q) {
  const n = p.length;
  let own = 0,
    across = 0;
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) {
      if (i !== j) own += kernel(p[i], p[j]) + kernel(q[i], q[j]);
      across += kernel(p[i], q[j]);
    }
  return own / (n * (n - 1)) - (2 * across) / (n * n);
}

const radii = (points) =>
  points.map((a) => Float64Array.from(points, (b) => squared(a, b)).sort()[K]); // itself comes first
export function prdc(train, fake) {
  const n = train.length,
    ofReal = radii(train),
    ofFake = radii(fake);
  const precise = new Uint8Array(n);
  let inside = 0,
    recalled = 0,
    covered = 0;
  for (let i = 0; i < n; i++) {
    let found = false,
      hit = false;
    for (let j = 0; j < n; j++) {
      const d = squared(train[i], fake[j]);
      if (d < ofReal[i]) (inside++, (precise[j] = 1), (hit = true));
      if (d < ofFake[j]) found = true;
    }
    ((recalled += found), (covered += hit));
  }
  const precision = precise.reduce((a, b) => a + b, 0) / n;
  return { precision, recall: recalled / n, density: inside / (K * n), coverage: covered / n };
}

export function nearer(fake, train, held) {
  const least = (x, set) => set.reduce((d, y) => Math.min(d, squared(x, y)), Infinity);
  return (
    fake.reduce((sum, x) => {
      const a = least(x, train),
        b = least(x, held);
      return sum + (a < b ? 1 : a === b ? 0.5 : 0);
    }, 0) / fake.length
  );
}
function modes(fake) {
  const hits = new Float64Array(MODES);
  for (const x of fake) {
    const k = CENTRES.findIndex((c) => squared(x, c) <= (3 * SD) ** 2);
    if (k >= 0) hits[k]++;
  }
  return hits.filter((h) => h >= 0.01 * fake.length).length;
}

export function judge({ train, held, fake }) {
  return {
    frechet: frechet(moments(fake), moments(train)),
    kid: kid(fake, train),
    ...prdc(train, fake),
    modes: modes(fake),
    nearer: nearer(fake, train, held),
  };
}

// means over many draws at every size; what real samples get does not depend on the controls
function against(s) {
  const mean = (side) =>
    SIZES.map((n) => {
      let sum = 0;
      for (let seed = 1; seed <= DRAWS; seed++) {
        const all = draw(s, n, seed);
        sum += frechet(moments(all[side]), moments(all.train)) / DRAWS;
      }
      return sum;
    });
  return mean;
}
let floor = null;
const floors = () => (floor ??= against(FINE)("held"));

const shown = (v, low) => `${number(v, 3)} (floor ${number(low, 3)})`;
const clip = (v) => Math.max(v, 1e-4);

export default function evaluation(root) {
  explorable(root, {
    title: "Eight ways to look at a generator that fails",
    legend: [
      ["data", "training samples", "dot"],
      ["generated", "generated samples; their Fréchet distance", "dot"],
      ["muted", "floor: new real samples instead", "dash"],
      ["ink", "the true distance of the laws", "line"],
    ],
    controls: [
      { id: "shift", label: "shift to the right", min: -0.5, max: 0.5, step: 0.01, value: FINE.shift },
      { id: "spread", label: "spread of a mode, times the data's", min: 0.1, max: 4, step: 0.1, value: 1 },
      { id: "missing", label: "modes that are missing", min: 0, max: 7, step: 1, value: 0, format: String },
      { id: "copied", label: "share learned by heart", min: 0, max: 1, step: 0.05, value: 0 },
      { id: "n", label: "n, samples of each kind", min: 20, max: MOST, step: 10, value: 200, format: String },
      { id: "seed", label: "draw number", min: 1, max: DRAWS, step: 1, value: 1, format: String },
      { id: "fine", label: "Perfect", type: "button", press: (s, set) => set(FINE) },
      { id: "narrow", label: "Too narrow", type: "button", press: (s, set) => set({ ...FINE, spread: 0.3 }) },
      { id: "dropped", label: "Three modes missing", type: "button", press: (s, set) => set({ ...FINE, missing: 3 }) },
      { id: "heart", label: "By heart", type: "button", press: (s, set) => set({ ...FINE, copied: 1 }) },
    ],
    derive: (s) => {
      const drawn = draw(s, s.n, s.seed);
      return {
        drawn,
        found: judge(drawn),
        low: judge({ train: drawn.train, held: draw(s, s.n, (s.seed % DRAWS) + 1).train, fake: drawn.held }),
        curve: against(s)("fake"),
        true: truth(s),
      };
    },
    plots: [
      {
        title: "the samples (drag the orange point)",
        alt: "Training samples on a ring of eight spots, generated samples over them",
        xlim: [-1.7, 1.7],
        ylim: [-1.5, 1.5],
        xlabel: "x",
        ylabel: "y",
        equal: true,
        draw(plot, s) {
          plot.points(s.drawn.train.flat(), { colour: "data", size: 2, alpha: 0.6 });
          plot.points(s.drawn.fake.flat(), { colour: "generated", size: 3, ring: true, alpha: 0.8 });
        },
        handles: [{ x: (s) => s.shift, y: () => 0, colour: "generated", move: (x) => ({ shift: x }) }],
      },
      {
        title: "Fréchet distance against n, means over 40 draws",
        alt: "Both distances fall with the number of samples; that of the generator towards the true distance, the floor towards zero",
        xlim: [SIZES[0], MOST],
        ylim: [1e-4, 3],
        xscale: "log",
        yscale: "log",
        xlabel: "n",
        ylabel: "distance",
        draw(plot, s) {
          plot.vline(s.n, { colour: "grid", width: 1 });
          if (s.true > 1e-4) plot.hline(s.true, { colour: "ink", width: 1.5 });
          plot.line(SIZES, floors().map(clip), { colour: "muted", dash: [7, 5], width: 2 });
          plot.line(SIZES, s.curve.map(clip), { colour: "generated", width: 2.5 });
          plot.points([s.n, clip(s.found.frechet)], { colour: "generated", size: 4.5, alpha: 1 });
        },
      },
    ],
    readout: (s) => [
      ["Fréchet distance", shown(s.found.frechet, s.low.frechet), "generated"],
      ["of the laws", s.true],
      ["KID", shown(s.found.kid, s.low.kid)],
      ["precision", shown(s.found.precision, s.low.precision)],
      ["recall", shown(s.found.recall, s.low.recall)],
      ["density", shown(s.found.density, s.low.density)],
      ["coverage", shown(s.found.coverage, s.low.coverage)],
      ["modes found", `${s.found.modes} of ${MODES}`],
      ["nearer to the training set", shown(s.found.nearer, s.low.nearer)],
    ],
    values: (s) => ({ ...s.found, ...s.drawn, low: s.low, curve: s.curve, floors: floors(), truth: s.true }),
  });
}
