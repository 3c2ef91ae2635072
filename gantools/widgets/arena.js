// The arena: generated samples among real ones, what the discriminator thinks of every place, where the generator is
// drawn, and the losses. Replay and Live both stand on it; what they show is packed by packing.py.
import { Plot, control, drawer, el, legend, number, readout } from "./canvas.js";

const STEPS = 8191; // as in packing.py
const LONGEST = 0.16; // of the box's width: the greatest length of an arrow
// of the players, and after them of what is measured
const ROLES = ["discriminator", "generated", "other", "extra", "ink", "muted"];

// counted positions -> data units
export function places(steps, box) {
  const [w, h] = [box[1] - box[0], box[3] - box[2]];
  return Float32Array.from(steps, (v, i) =>
    i % 2 ? box[2] - h + (3 * h * v) / STEPS : box[0] - w + (3 * w * v) / STEPS,
  );
}

// differences from frame to frame, summed up in place
export function undo(a, frames) {
  const n = a.length / frames;
  for (let i = n; i < a.length; i++) a[i] += a[i - n];
  return a;
}

const quantile = (sorted, q) => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))];
// a running mean over the last few hundredths of the curve, from its first number on
const smooth = (ys) => {
  const keep = 1 - 1 / Math.max(1, ys.length / 50);
  let mean = NaN;
  return ys.map((y) => (mean = Number.isFinite(mean) ? keep * mean + (1 - keep) * y : y));
};
const lossOf = (name) => `${name}${name.endsWith("s") ? "’" : "'s"} loss`;
// the colour of a generator among many; the ninth has that of the first, so pictures number them too
const hue = (j) => `g${(j % 8) + 1}`;
const padded = (lo, hi) => [lo - 0.06 * (hi - lo || 1), hi + 0.06 * (hi - lo || 1)];

export class Arena {
  // about: {title, alt, box | null, players, loss, level, measures, since, pause}; since: turns after which each of
  // many generators joins; extra: nodes of the host, below the plots
  constructor(root, about, extra) {
    this.root = root;
    this.about = about;
    this.many = about.since?.length > 1 ? about.since : null;
    this.curve = { turns: [], losses: [], pulls: [] }; // means of stretches of turns, oldest first
    this.measured = { turns: [], rows: [] }; // a row of numbers at some turns, named by about.measures
    this.whole = 0; // turns of a finished run; 0 while it goes on
    this.say = readout(root, about.pause);
    const points = about.box !== null;
    const square = { equal: true, basis: "300px", grid: false };
    this.stage = points
      ? new Plot(
          root,
          {
            ...square,
            xlim: [about.box[0], about.box[1]],
            ylim: [about.box[2], about.box[3]],
            draw: () => this.points(),
          },
          about.alt,
        )
      : new Plot(
          root,
          { ...this.tiles("generated"), draw: () => this.stage.images(this.frame.fake, this.shape) },
          about.alt,
        );
    const alone = about.shapes?.real?.[0] === 0; // real images that may not be shown are not handed over
    this.others = points || alone
      ? []
      : [
          new Plot(
            root,
            { ...this.tiles("real"), draw: () => this.others[0].images(this.real, this.realShape) },
            "Real images, to compare with.",
          ),
        ];
    this.chart = new Plot(
      root,
      {
        xlim: () => [0, Math.max(1, this.whole || this.frame?.turn || 0)],
        ylim: () => this.range(),
        get yscale() {
          return this.log ? "log" : "";
        },
        xlabel: "turn",
        ylabel: "loss (nats)",
        least: 170,
        basis: "auto",
        draw: () => this.curves(),
      },
      about.measures.length
        ? `${this.followed()}; or the losses, turn by turn.`
        : "The losses of the players, turn by turn.",
    );
    this.switches(points);
    this.build(points, extra);
    this.pen = drawer(root, [this.stage, ...this.others, this.chart], () => this.draw());
  }

  tiles(title) {
    return { title, axes: false, basis: "160px", floor: "150px", equal: true, xlim: [0, 1], ylim: [0, 1] };
  }

  switches(points) {
    const { measures } = this.about;
    this.on = { surface: true, arrows: true, curves: measures.length ? "measures" : "losses" };
    const flip = (id, v) => ((this.on[id] = v), this.pen.ask());
    const check = (id, label) =>
      control(this.root, { id, label, type: "check", value: this.on[id] }, flip).node;
    const options = [{ value: "losses", label: "losses" }];
    if (measures.length)
      options.unshift({
        value: "measures",
        label: this.estimates() ? `${measures.join(", ")} and estimate` : "what was measured",
      });
    if (points) options.push({ value: "pull", label: "mean pull (log)" });
    this.toggles = points
      ? [check("surface", `what ${this.judge()} thinks`), check("arrows", "pull on the generator")]
      : [];
    if (options.length > 1) {
      const spec = { id: "curves", label: "curves", type: "select", value: this.on.curves, options };
      this.toggles.push(control(this.root, spec, flip).node);
    }
  }

  // how the first player is called: a critic gives no probabilities
  judge() {
    return this.about.players[0] === "critic" ? "the critic" : "D";
  }

  build(points, extra) {
    const { root, about } = this;
    root.classList.add("gan-arena");
    root.setAttribute("role", "group");
    root.setAttribute("aria-label", about.title);
    const key = points
      ? [
          ["data", "real", "dot"],
          ...(this.many
            ? this.many.map((_, j) => [hue(j), `generator ${j + 1}`, "dot"])
            : [["generated", "generated", "dot"]]),
          ["discriminator", this.judge() === "D" ? "D undecided (½)" : "the critic undecided"],
        ]
      : [];
    const taken = about.players.length;
    const more = about.measures.map((name, i) => [ROLES[(taken + i) % ROLES.length], name]);
    const side = el("div", { className: "gan-side" }, this.chart.node, this.say.nodes[0]);
    const lines = about.players.map((name, i) => [ROLES[i % ROLES.length], lossOf(name)]);
    this.plots = el(
      "div",
      { className: "gan-plots", tabIndex: 0, role: "group" },
      this.stage.node,
      ...this.others.map((p) => p.node),
      side,
    );
    this.plots.setAttribute(
      "aria-label",
      "Pictures of the game. Space plays and pauses, the arrow keys step.",
    );
    root.append(
      el("p", { className: "gan-title", textContent: about.title }),
      legend([...key, ...lines, ...more]),
      this.plots,
      ...extra,
      el("div", { className: "gan-controls" }, ...this.toggles),
      this.say.nodes[1],
    );
    side.prepend(this.chart.node);
  }

  // keys on the pictures themselves: { " ": f, ArrowRight: f, ... }
  keys(actions) {
    this.plots.addEventListener("keydown", (e) => {
      if (e.target !== this.plots || !actions[e.key] || e.ctrlKey || e.metaKey || e.altKey) return;
      e.preventDefault();
      actions[e.key]();
    });
  }

  // frame: {turn, fake, surface, side, arrows, pull}, positions in data units; losses: of each player, now
  show(frame, losses, rows = []) {
    this.frame = frame;
    const said = this.about.players.map((name, i) => [
      lossOf(name),
      losses && !Number.isNaN(losses[i]) ? number(losses[i]) : "–",
      ROLES[i % ROLES.length],
    ]);
    const pull =
      frame.pull == null
        ? []
        : [["mean pull", frame.pull >= 0.001 || !frame.pull ? number(frame.pull) : number(frame.pull, 6)]];
    const row = this.measured.rows[this.measured.turns.findLastIndex((t) => t <= frame.turn)];
    const seen = this.about.measures.map((name, i) => [
      name,
      row ? number(row[i]) : "–",
      ROLES[(this.about.players.length + i) % ROLES.length],
    ]);
    const here = this.many ? [["generators", `${this.joined()} of ${this.many.length}`]] : [];
    this.say.show([["turn", String(frame.turn)], ...here, ...seen, ...said, ...pull, ...rows]);
    this.pen.ask();
  }

  // how many of many generators are in the frame: row i of its points is of generator i % joined()
  joined() {
    return this.many.filter((t) => t <= this.frame.turn).length;
  }

  draw() {
    if (!this.frame) return;
    for (const plot of [this.stage, ...this.others]) (plot.begin(this), plot.spec.draw(), plot.end());
    this.fit();
    this.chart.spec.log = this.on.curves === "pull";
    this.chart.spec.ylabel = this.ylabel();
    this.chart.begin(this);
    this.curves();
    this.chart.end();
  }

  // The chart fills what the readout leaves beside the stage; measured only when that may have changed.
  fit() {
    const list = this.say.nodes[0];
    const now = `${this.plots.clientWidth} ${this.stage.height} ${list.childElementCount}`;
    if (now === this.fitted) return;
    this.fitted = now;
    const { node, spec } = this.chart;
    const beside = node.offsetTop < this.stage.node.offsetTop + this.stage.height / 2 && node.offsetLeft > 40;
    spec.least = spec.most = beside ? Math.max(170, this.stage.height - list.offsetHeight - 12) : 200;
  }

  points() {
    const { stage: p, frame: f, about, on } = this;
    const box = about.box;
    if (on.surface && f.surface) {
      const values = Float32Array.from(f.surface, (v) => v / 255);
      p.heat(values, f.side, f.side, { box, alpha: 0.42 });
      p.contour(values, f.side, f.side, 0.5, { box, width: 1.5, alpha: 0.9 });
    }
    p.points(this.real, { colour: "data", size: 2.2, alpha: 0.75 });
    p.points(f.fake, { colour: "paper", size: 3.4, alpha: 0.9 });
    if (this.many) this.crowd(p, f.fake);
    else p.points(f.fake, { colour: "generated", size: 2.6, alpha: 1 });
    if (on.arrows && f.arrows) {
      const reach = (LONGEST * (box[1] - box[0])) / 127;
      p.arrows(
        f.fake.subarray(0, f.arrows.length),
        Float32Array.from(f.arrows, (v) => v * reach),
        { width: 1.3, alpha: 0.85, head: 5 },
      );
    }
  }

  // points of many generators, each in its colour, with its number at its first point
  crowd(p, fake) {
    const k = this.joined();
    for (let j = 0; j < k; j++) {
      const own = [];
      for (let i = 2 * j; i < fake.length; i += 2 * k) own.push(fake[i], fake[i + 1]);
      p.points(own, { colour: hue(j), size: 2.6, alpha: 1 });
    }
    const style = { dx: 5, dy: -7, size: 12, bold: true };
    for (let j = 0; j < k; j++)
      p.text(fake[2 * j], fake[2 * j + 1], String(j + 1), { colour: hue(j), ...style });
  }

  ylabel() {
    const { players, measures, loss } = this.about;
    if (this.on.curves === "pull") return "mean pull";
    if (this.on.curves === "losses") return loss === "wasserstein" ? "loss" : "loss (nats)";
    if (!this.estimates()) return measures.length > 1 ? "measured" : measures[0];
    const times = this.scale() === 1 ? "" : ` × ${number(this.scale(), 0)}`;
    const first = players[0] === "discriminator" ? "D" : players[0]; // the axis is short
    return `${measures.join(", ")}; −${lossOf(first)}${times}`;
  }

  // whether minus the first player's loss is in the units of what is measured: a critic's is a distance
  estimates() {
    return this.about.loss === "wasserstein";
  }

  // what the curves of the measures show, in words
  followed() {
    const { measures, players } = this.about;
    return (
      measures.join(", ") + (this.estimates() ? ` beside what the ${players[0]} estimates` : ", turn by turn")
    );
  }

  // Every second row of a long run's measurements goes, so that there is always room.
  measure(turn, row) {
    const { turns, rows } = this.measured;
    turns.push(turn);
    rows.push(row);
    if (turns.length < 600) return;
    const odd = (_, i) => i % 2 === 1;
    this.measured = { turns: turns.filter(odd), rows: rows.filter(odd) };
  }

  // The power of ten that brings the estimate, minus the first player's loss, to the size of the first measure.
  scale() {
    const most = (rows) => Math.max(...rows.map((row) => Math.abs(row[0])).filter(Number.isFinite), 0);
    const [estimate, measure] = [most(this.curve.losses), most(this.measured.rows)];
    return estimate && measure ? 10 ** Math.round(Math.log10(measure / estimate)) : 1;
  }

  // what is drawn: [turns, values, colour]
  series() {
    const { turns, losses, pulls } = this.curve;
    const column = (rows, i) => rows.map((row) => row[i]);
    const { players, measures } = this.about;
    if (this.on.curves === "pull") return [[this.curve.pullTurns || turns, pulls, "generated"]];
    if (this.on.curves === "losses")
      return players.map((_, i) => [turns, column(losses, i), ROLES[i % ROLES.length]]);
    const seen = measures.map((_, i) => [
      this.measured.turns,
      column(this.measured.rows, i),
      ROLES[(players.length + i) % ROLES.length],
    ]);
    if (!this.estimates()) return seen;
    const scale = this.scale();
    return [[turns, losses.map((row) => -row[0] * scale), ROLES[0]], ...seen];
  }

  range() {
    // each curve by itself: a loss has many points, a measure few
    const sorted = this.series().map(([, ys]) => ys.filter(Number.isFinite).sort((a, b) => a - b));
    const all = sorted.flat().sort((a, b) => a - b);
    if (this.on.curves === "pull") {
      const positive = all.filter((v) => v > 0);
      if (!positive.length) return [0.01, 1];
      return [10 ** Math.floor(Math.log10(positive[0])), 10 ** Math.ceil(Math.log10(positive.at(-1)) + 1e-9)];
    }
    if (!all.length) return [0, 2];
    const level = this.on.curves === "measures" ? 0 : (this.about.level ?? quantile(all, 0.5));
    const ends = (q) => sorted.filter((ys) => ys.length).map((ys) => quantile(ys, q));
    return padded(Math.min(level, ...ends(0.01)), Math.max(level, ...ends(0.99)));
  }

  curves() {
    const { chart: p, frame, about } = this;
    const marked = this.on.curves === "losses" && about.level != null;
    if (marked) p.hline(about.level, { colour: "muted", dash: [5, 5], width: 1 });
    for (const [xs, ys, colour] of this.series()) {
      if (!xs.length) continue;
      const style = { colour, width: 1.6 };
      const now = xs.findIndex((t) => t > frame.turn);
      const cut = now < 0 ? xs.length : now;
      p.line(xs, ys, { ...style, width: 1, alpha: 0.22 });
      const calmer = this.on.curves === "pull" || xs === this.measured.turns ? ys : smooth(ys);
      const every = Math.ceil(xs.length / (p.width / 2));
      const seen = (_, i) => i < cut && (i % every === 0 || i === cut - 1);
      p.line(xs.filter(seen), calmer.filter(seen), style);
    }
    if (marked) {
      const dy = p.y(about.level) < 26 ? 11 : -10;
      const place = { colour: "muted", align: "right", dx: -2, dy, size: 11 };
      p.text(p.x1, about.level, `${this.judge()}'s loss when p_g = p_data`, place); // last: a loss near it would cross it
    }
    if (this.whole) p.vline(frame.turn, { colour: "ink", width: 1 });
  }

  stop() {
    this.pen.stop();
    this.say.stop();
  }
}
