// The drawing base of every moving figure: plots on canvases, native controls, a readout in text.
// A figure calls explorable(root, spec) and owns nothing but its mathematics; tests/demo.js is the smallest that shows everything.

// ---- small mathematics, seeded so that a page looks the same each time it is opened
export const linspace = (a, b, n) => Float64Array.from({ length: n }, (_, i) => a + ((b - a) * i) / (n - 1));
export const trapezoid = (y, x) => {
  let sum = 0;
  for (let i = 1; i < x.length; i++) sum += ((y[i] + y[i - 1]) * (x[i] - x[i - 1])) / 2;
  return sum;
};
export const normalPdf = (x, mean = 0, sd = 1) =>
  Math.exp(-(((x - mean) / sd) ** 2) / 2) / (sd * Math.sqrt(2 * Math.PI));
export function random(seed) {
  let a = seed >>> 0;
  const uniform = () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  return { uniform, normal };
}

// ---- text
export const number = (v, digits = 3) => {
  if (v === Infinity || v === -Infinity) return v > 0 ? "∞" : "−∞";
  if (!Number.isFinite(v)) return "not a number";
  const s =
    v !== 0 && (Math.abs(v) < 10 ** -digits / 2 || Math.abs(v) >= 1e6)
      ? v.toExponential(1)
      : v.toFixed(digits);
  const [mantissa, power] = (+s === 0 ? s.replace("-", "") : s).replaceAll("-", "−").split("e");
  return power ? `${mantissa}·10${[...power].map((c) => RAISED[c]).join("")}` : mantissa;
};
const RAISED = { "−": "⁻", "+": "", ...Object.fromEntries([..."⁰¹²³⁴⁵⁶⁷⁸⁹"].entries()) };

// "p_data" and "x^2" as runs: [text, 0 on the line, -1 below, 1 above]; braces hold longer ones together
const runs = (words) =>
  String(words)
    .split(/([_^](?:\{[^}]*\}|[A-Za-z0-9*]+))/)
    .filter(Boolean)
    .map((s, i) =>
      /^[_^]./.test(s) && i ? [s.slice(1).replace(/[{}]/g, ""), s[0] === "_" ? -1 : 1] : [s, 0],
    );
export const rich = (words) =>
  runs(words).map(([s, level]) => (level ? el(level < 0 ? "sub" : "sup", { textContent: s }) : s));

// ---- elements
export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(props)) {
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (key in node && key !== "list" && key !== "form") node[key] = value;
    else node.setAttribute(key, value);
  }
  node.append(...children.filter((child) => child != null));
  return node;
}

let serial = 0; // ids only tie labels to their inputs; the module's scope and the root's id keep them apart
export const identity = (root) => `${root.id || "gan"}-${++serial}`;

// A control: native input, label, and get/set. Types: range (default), select, check, button.
export function control(root, spec, changed) {
  const id = identity(root);
  const type = spec.type || "range";
  if (type === "button") {
    const node = el("button", { type: "button", id, onclick: () => spec.press(), textContent: spec.label });
    if (spec.title) node.title = spec.title;
    return { node, input: node, get: () => undefined, set: () => {} };
  }
  const output = el("output", { htmlFor: id });
  const input =
    type === "select"
      ? el(
          "select",
          { id },
          ...spec.options.map((o) => el("option", { value: o.value ?? o, textContent: o.label ?? o })),
        )
      : type === "check"
        ? el("input", { id, type: "checkbox" })
        : el("input", { id, type: "range", min: spec.min, max: spec.max, step: spec.step ?? "any" });
  const format = spec.format || ((v) => number(v, decimals(spec.step)));
  const get = () => (type === "check" ? input.checked : type === "select" ? input.value : +input.value);
  const say = () => {
    if (type !== "range") return;
    output.textContent = format(get());
    input.setAttribute("aria-valuetext", output.textContent);
  };
  const set = (value) => {
    if (type === "check") input.checked = !!value;
    else input.value = value; // the browser clamps and snaps a range
    say();
  };
  input.addEventListener("input", () => (say(), changed(spec.id, get())));
  set(spec.value);
  const label = el("label", { htmlFor: id }, ...rich(spec.label));
  const parts =
    type === "check" ? [input, label] : type === "select" ? [label, input] : [label, output, input];
  return { node: el("div", { className: `gan-control gan-${type}` }, ...parts), input, get, set };
}
const decimals = (step) => (step ? Math.max(0, Math.ceil(-Math.log10(step) - 1e-9)) : 2);

// ---- the theme: colours come from CSS, and everything is drawn again when the page turns dark
export function palette(root) {
  const style = getComputedStyle(root);
  return new Proxy(
    {},
    {
      get: (seen, role) =>
        (seen[role] ??= style.getPropertyValue(`--gan-${String(role)}`).trim() || String(role)),
    },
  );
}
export function onTheme(root, redraw) {
  const watch = new MutationObserver(redraw);
  const attributeFilter = ["data-theme", "theme", "data-jp-theme-light", "class"];
  for (const node of [document.documentElement, document.body])
    watch.observe(node, { attributes: true, attributeFilter });
  const media = matchMedia("(prefers-color-scheme: dark)");
  media.addEventListener("change", redraw);
  return () => (watch.disconnect(), media.removeEventListener("change", redraw));
}
export const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

// ---- a plot: one canvas, its axes, and the primitives in data coordinates
const value = (v, state) => (typeof v === "function" ? v(state) : v);

export function ticks(lo, hi, most) {
  const raw = (hi - lo) / Math.max(1, most);
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * [1, 2, 5, 10].find((m) => m * power >= raw * 0.999);
  const found = [];
  for (let k = Math.ceil(lo / step - 1e-9); k * step <= hi + step * 1e-9; k++) found.push(k * step);
  return { found, digits: Math.max(0, -Math.floor(Math.log10(step) + 1e-9)) };
}
const SUPER = "⁰¹²³⁴⁵⁶⁷⁸⁹";
const tenTo = (k) => "10" + (k < 0 ? "⁻" : "") + [...String(Math.abs(k))].map((d) => SUPER[d]).join("");

export class Plot {
  constructor(root, spec, alt) {
    this.root = root;
    this.spec = spec;
    this.canvas = el("canvas", { role: "img" });
    this.canvas.setAttribute("aria-label", alt);
    this.ctx = this.canvas.getContext("2d");
    this.node = el(
      "div",
      { className: "gan-plot" },
      spec.title ? el("div", { className: "gan-plot-title" }, ...rich(spec.title)) : null,
      this.canvas,
    );
    this.node.style.flexGrow = spec.grow ?? 1;
    if (spec.basis) this.node.style.flexBasis = spec.basis;
    if (spec.floor) this.node.style.minWidth = spec.floor;
  }

  // Fits the canvas to its column; draws frame, ticks and labels; clips to the inside.
  begin(state) {
    const { spec, ctx, canvas } = this;
    this.c = palette(this.root);
    [this.x0, this.x1] = value(spec.xlim, state);
    [this.y0, this.y1] = value(spec.ylim, state);
    this.small = this.node.clientWidth < 360;
    const font = getComputedStyle(this.root).fontFamily;
    this.font = (size = 12, style = "") => `${style} ${size}px ${font}`;
    const bare = spec.axes === false;
    const m = (this.margin = bare
      ? { l: 1, r: 1, t: 1, b: 1 }
      : { l: spec.ylabel ? 52 : 38, r: 12, t: 8, b: spec.xlabel ? 40 : 24 });
    const w = (this.width = Math.max(120, this.node.clientWidth));
    const inner = w - m.l - m.r;
    const ratio = spec.equal ? (this.y1 - this.y0) / (this.x1 - this.x0) : null;
    const h = (this.height = Math.round(
      ratio
        ? inner * ratio + m.t + m.b
        : Math.min(spec.most ?? 360, Math.max(spec.least ?? 190, w * (spec.aspect ?? 0.64))),
    ));
    const dpr = devicePixelRatio || 1;
    if (canvas.width !== Math.round(w * dpr) || canvas.height !== Math.round(h * dpr)) {
      canvas.width = Math.round(w * dpr);
      canvas.height = Math.round(h * dpr);
      canvas.style.height = `${h}px`;
    }
    ctx.setTransform(dpr, 0, 0, dpr, 0, 0);
    ctx.clearRect(0, 0, w, h);
    const scale = (lo, hi, a, b, log) => {
      const f = log ? Math.log10 : (v) => v;
      const k = (b - a) / (f(hi) - f(lo));
      return [
        (v) => a + (f(v) - f(lo)) * k,
        (px) => (log ? 10 ** (f(lo) + (px - a) / k) : f(lo) + (px - a) / k),
      ];
    };
    [this.x, this.ux] = scale(this.x0, this.x1, m.l, w - m.r, spec.xscale === "log");
    [this.y, this.uy] = scale(this.y0, this.y1, h - m.b, m.t, spec.yscale === "log");
    if (!bare) this.axes();
    ctx.save();
    ctx.beginPath();
    ctx.rect(m.l - 1, m.t - 1, w - m.l - m.r + 2, h - m.t - m.b + 2);
    ctx.clip();
    return this;
  }
  end() {
    this.ctx.restore();
  }

  marks(lo, hi, room, log, own) {
    if (own) return own.map((t) => (typeof t === "number" ? [t, number(t, 2).replace(/\.?0+$/, "")] : t));
    if (!log) {
      const { found, digits } = ticks(lo, hi, room);
      return found.map((t) => [t, number(t, digits)]);
    }
    const a = Math.ceil(Math.log10(lo) - 1e-9),
      b = Math.floor(Math.log10(hi) + 1e-9);
    const every = Math.max(1, Math.ceil((b - a) / Math.max(1, room)));
    return Array.from({ length: Math.floor((b - a) / every) + 1 }, (_, i) => [
      10 ** (a + i * every),
      tenTo(a + i * every),
    ]);
  }

  axes() {
    const { ctx, spec, margin: m, width: w, height: h, c } = this;
    ctx.lineWidth = 1;
    ctx.font = this.font(this.small ? 11 : 12);
    ctx.fillStyle = c.ink;
    const crisp = (v) => Math.round(v) + 0.5;
    const xs = this.marks(this.x0, this.x1, (w - m.l - m.r) / 64, spec.xscale === "log", spec.xticks);
    const ys = this.marks(this.y0, this.y1, (h - m.t - m.b) / 36, spec.yscale === "log", spec.yticks);
    ctx.strokeStyle = c.grid;
    ctx.globalAlpha = 0.45;
    ctx.beginPath();
    for (const [t] of spec.grid === false ? [] : ys)
      (ctx.moveTo(m.l, crisp(this.y(t))), ctx.lineTo(w - m.r, crisp(this.y(t))));
    ctx.stroke();
    ctx.globalAlpha = 1;
    ctx.strokeStyle = c.muted;
    ctx.beginPath();
    (ctx.moveTo(crisp(m.l), m.t), ctx.lineTo(crisp(m.l), h - m.b), ctx.lineTo(w - m.r, crisp(h - m.b) - 1));
    for (const [t] of xs) (ctx.moveTo(crisp(this.x(t)), h - m.b), ctx.lineTo(crisp(this.x(t)), h - m.b + 4));
    ctx.stroke();
    ctx.textAlign = "center";
    ctx.textBaseline = "top";
    for (const [t, s] of xs) {
      const half = ctx.measureText(s).width / 2;
      ctx.fillText(s, Math.min(this.x(t), w - half - 1), h - m.b + 6);
    }
    ctx.textAlign = "right";
    ctx.textBaseline = "middle";
    for (const [t, s] of ys) ctx.fillText(s, m.l - 6, this.y(t));
    ctx.font = this.font(this.small ? 11 : 12.5);
    ctx.textAlign = "center";
    ctx.textBaseline = "alphabetic";
    if (spec.xlabel) this.write(spec.xlabel, (m.l + w - m.r) / 2, h - 8);
    if (!spec.ylabel) return;
    const middle = (m.t + h - m.b) / 2;
    ctx.save();
    ctx.translate(12, middle);
    ctx.rotate(-Math.PI / 2);
    this.write(spec.ylabel, 0, 0, { room: 2 * Math.min(middle, h - middle) - 4 });
    ctx.restore();
  }
  // words at a pixel, with sub- and superscripts, aligned as the context says; over a halo of paper if asked, and
  // smaller where they would not fit into their room
  write(words, px, py, { halo = false, room = Infinity } = {}) {
    const { ctx } = this;
    const [before, align] = [ctx.font, ctx.textAlign];
    const shrunk = Math.min(1, room / Math.max(1, ctx.measureText(String(words).replace(/[_^{}]/g, "")).width));
    const font = before.replace(/([\d.]+)px/, (_, size) => `${size * shrunk}px`);
    const size = parseFloat(font.match(/([\d.]+)px/)[1]);
    const set = (level) =>
      (ctx.font = level ? font.replace(/[\d.]+px/, `${Math.max(10, size * 0.78)}px`) : font);
    const parts = runs(words).map(([s, level]) => (set(level), [s, level, ctx.measureText(s).width]));
    const total = parts.reduce((sum, part) => sum + part[2], 0);
    ctx.textAlign = "left";
    for (const draw of halo ? ["strokeText", "fillText"] : ["fillText"]) {
      let at = px - total * { left: 0, center: 0.5, right: 1 }[align];
      for (const [s, level, width] of parts)
        (set(level), ctx[draw](s, at, py - level * size * 0.3), (at += width));
    }
    ctx.font = before;
    ctx.textAlign = align;
  }

  pen({ colour = "ink", width = 2, dash = [], alpha = 1 } = {}) {
    const { ctx } = this;
    ctx.strokeStyle = ctx.fillStyle = this.c[colour];
    ctx.lineWidth = width;
    ctx.setLineDash(dash);
    ctx.globalAlpha = alpha;
    ctx.lineCap = "round";
    ctx.lineJoin = "bevel"; // a tenth of the cost of round joins on a jagged curve
  }
  trace(xs, ys) {
    let up = true; // a value that is no number lifts the pen; infinities run off the edge
    for (let i = 0; i < xs.length; i++) {
      const px = this.x(xs[i]);
      const py = Math.min(1e4, Math.max(-1e4, this.y(ys[i])));
      if (Number.isNaN(px) || Number.isNaN(py)) up = true;
      else (up ? this.ctx.moveTo(px, py) : this.ctx.lineTo(px, py), (up = false));
    }
  }
  line(xs, ys, style) {
    this.pen(style);
    this.ctx.beginPath();
    this.trace(xs, ys);
    this.ctx.stroke();
    this.ctx.globalAlpha = 1;
    this.ctx.setLineDash([]);
  }
  // y = f(x) over the whole width, a point every other pixel
  curve(f, style) {
    const n = Math.ceil(this.width / 2);
    const xs = Array.from({ length: n + 1 }, (_, i) =>
      this.ux(this.margin.l + ((this.width - this.margin.l - this.margin.r) * i) / n),
    );
    this.line(
      xs,
      xs.map((x) => f(x)),
      style,
    );
  }
  // the area between a curve and a base (a number or a second curve)
  area(xs, ys, { base = 0, colour = "ink", alpha = 0.2 } = {}) {
    this.pen({ colour, alpha });
    const { ctx } = this;
    const last = xs.length - 1;
    ctx.beginPath();
    ctx.moveTo(this.x(xs[0]), this.y(base[0] ?? base));
    for (let i = 0; i <= last; i++) ctx.lineTo(this.x(xs[i]), Math.max(-1e4, this.y(ys[i])));
    for (let i = last; i >= 0; i--) ctx.lineTo(this.x(xs[i]), this.y(base[i] ?? base));
    ctx.fill();
    ctx.globalAlpha = 1;
  }
  bars(xs, ys, { width = 1, base = 0, shift = 0, colour = "ink", alpha = 0.8 } = {}) {
    this.pen({ colour, alpha });
    for (let i = 0; i < xs.length; i++) {
      const a = this.x(xs[i] + shift - width / 2),
        b = this.x(xs[i] + shift + width / 2),
        y = this.y(ys[i]);
      this.ctx.fillRect(a, y, b - a, this.y(base) - y);
    }
    this.ctx.globalAlpha = 1;
  }
  // dots or rings; xy is flat [x0, y0, x1, y1, ...]
  points(xy, { colour = "ink", size = 3, alpha = 0.8, ring = false } = {}) {
    this.pen({ colour, alpha, width: 1.5 });
    const { ctx } = this;
    for (let i = 0; i < xy.length; i += 2) {
      ctx.beginPath(); // one path a dot: cheaper to fill than one of them all
      ctx.arc(this.x(xy[i]), this.y(xy[i + 1]), size, 0, 7);
      ring ? ctx.stroke() : ctx.fill();
    }
    ctx.globalAlpha = 1;
  }
  // arrows from flat xy along flat dxy (data units)
  arrows(xy, dxy, { colour = "ink", width = 1.5, alpha = 0.9, head = 5 } = {}) {
    this.pen({ colour, width, alpha });
    const { ctx } = this;
    ctx.beginPath();
    for (let i = 0; i < xy.length; i += 2) {
      const ax = this.x(xy[i]),
        ay = this.y(xy[i + 1]);
      const bx = this.x(xy[i] + dxy[i]),
        by = this.y(xy[i + 1] + dxy[i + 1]);
      const length = Math.hypot(bx - ax, by - ay);
      if (!(length > 1)) continue;
      const h = Math.min(head, length * 0.5),
        t = Math.atan2(by - ay, bx - ax);
      (ctx.moveTo(ax, ay), ctx.lineTo(bx, by));
      (ctx.moveTo(bx - h * Math.cos(t - 0.5), by - h * Math.sin(t - 0.5)), ctx.lineTo(bx, by));
      ctx.lineTo(bx - h * Math.cos(t + 0.5), by - h * Math.sin(t + 0.5));
    }
    ctx.stroke();
    ctx.globalAlpha = 1;
  }
  vline(x, style) {
    this.line([x, x], [this.y0, this.y1], { width: 1.5, ...style });
  }
  hline(y, style) {
    this.line([this.x0, this.x1], [y, y], { width: 1.5, ...style });
  }
  text(x, y, words, { colour = "ink", align = "left", dx = 0, dy = 0, size, bold } = {}) {
    const { ctx } = this;
    this.pen({ colour });
    ctx.font = this.font(size || (this.small ? 11 : 12), bold ? "600" : "");
    ctx.textAlign = align;
    ctx.textBaseline = "middle";
    ctx.strokeStyle = this.c.paper;
    ctx.lineWidth = 3;
    this.write(words, this.x(x) + dx, this.y(y) + dy, { halo: true });
  }
  // values in [0, 1], row by row from the lowest y: `low` at 0, the page at 1/2, `high` at 1
  heat(
    values,
    nx,
    ny,
    { box = [this.x0, this.x1, this.y0, this.y1], low = "generated", high = "data", alpha = 0.5 } = {},
  ) {
    const pixels = new ImageData(nx, ny);
    const [a, b] = [low, high].map((role) => channels(this.c[role]));
    for (let j = 0; j < ny; j++)
      for (let i = 0; i < nx; i++) {
        const t = 2 * values[j * nx + i] - 1;
        const at = 4 * ((ny - 1 - j) * nx + i);
        pixels.data.set(t < 0 ? a : b, at);
        pixels.data[at + 3] = 255 * alpha * Math.min(1, Math.abs(t));
      }
    this.stamp ??= document.createElement("canvas");
    this.stamp.width = nx;
    this.stamp.height = ny;
    this.stamp.getContext("2d").putImageData(pixels, 0, 0);
    const { ctx } = this;
    // values stand at the corners of the box's cells: half a cell hangs over on each side
    const dx = (box[1] - box[0]) / (nx - 1) / 2,
      dy = (box[3] - box[2]) / (ny - 1) / 2;
    const left = this.x(box[0] - dx),
      top = this.y(box[3] + dy);
    ctx.imageSmoothingEnabled = true;
    ctx.imageSmoothingQuality = "low";
    ctx.drawImage(this.stamp, left, top, this.x(box[1] + dx) - left, this.y(box[2] - dy) - top);
  }
  // images (n, c, h, w) as a sheet of tiles, each smoothed by itself: eight pixels are hard to read as squares
  images(pixels, [n, c, h, w], columns = Math.ceil(Math.sqrt(n))) {
    const rows = Math.ceil(n / columns);
    const strip = new ImageData(w, n * h);
    for (let k = 0; k < n; k++)
      for (let i = 0; i < h * w; i++) {
        for (let j = 0; j < 3; j++)
          strip.data[4 * (k * h * w + i) + j] = pixels[(k * c + (c === 3 ? j : 0)) * h * w + i];
        strip.data[4 * (k * h * w + i) + 3] = 255;
      }
    const { ctx } = this;
    this.stamp ??= el("canvas");
    this.stamp.width = w;
    this.stamp.height = n * h;
    this.stamp.getContext("2d").putImageData(strip, 0, 0);
    ctx.imageSmoothingEnabled = true;
    ctx.imageSmoothingQuality = "high";
    const [wide, high] = [(this.x(1) - this.x(0)) / columns, (this.y(0) - this.y(1)) / rows];
    for (let k = 0; k < n; k++) {
      const [x, y] = [this.x(0) + (k % columns) * wide, this.y(1) + Math.floor(k / columns) * high];
      ctx.drawImage(this.stamp, 0, k * h, w, h, x + 1, y + 1, wide - 2, high - 2);
    }
  }
  // the line on which a surface takes a level (marching squares)
  contour(values, nx, ny, level, { box = [this.x0, this.x1, this.y0, this.y1], ...style } = {}) {
    this.pen({ colour: "discriminator", width: 1.5, ...style });
    const { ctx } = this;
    const X = (i) => this.x(box[0] + ((box[1] - box[0]) * i) / (nx - 1));
    const Y = (j) => this.y(box[2] + ((box[3] - box[2]) * j) / (ny - 1));
    ctx.beginPath();
    for (let j = 0; j + 1 < ny; j++)
      for (let i = 0; i + 1 < nx; i++) {
        const corner = [
          [i, j],
          [i + 1, j],
          [i + 1, j + 1],
          [i, j + 1],
        ];
        const v = corner.map(([a, b]) => values[b * nx + a] - level);
        const cut = [];
        for (let k = 0; k < 4; k++) {
          const n = (k + 1) % 4;
          if (v[k] < 0 === v[n] < 0) continue;
          const t = v[k] / (v[k] - v[n]);
          cut.push([
            X(corner[k][0] + t * (corner[n][0] - corner[k][0])),
            Y(corner[k][1] + t * (corner[n][1] - corner[k][1])),
          ]);
        }
        for (let k = 0; k + 1 < cut.length; k += 2) (ctx.moveTo(...cut[k]), ctx.lineTo(...cut[k + 1]));
      }
    ctx.stroke();
    ctx.globalAlpha = 1;
    ctx.setLineDash([]);
  }
  knob(x, y, { colour = "ink", held = false } = {}) {
    const { ctx } = this;
    const px = this.x(x),
      py = this.y(y);
    ctx.beginPath();
    ctx.arc(px, py, held ? 9 : 7.5, 0, 7);
    ctx.fillStyle = this.c[colour];
    ctx.strokeStyle = this.c.paper;
    ctx.lineWidth = 2.5;
    ctx.fill();
    ctx.stroke();
    ctx.beginPath();
    ctx.arc(px, py, 2, 0, 7);
    ctx.fillStyle = this.c.paper;
    ctx.fill();
  }
}
const channels = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));

// ---- dragging: handles of a plot are picked up within a thumb's width
function draggable(plot, state, moved) {
  const handles = plot.spec.handles || [];
  if (!handles.length) return;
  const { canvas } = plot;
  let held = null;
  const where = (e) => {
    const r = canvas.getBoundingClientRect();
    return [e.clientX - r.left, e.clientY - r.top];
  };
  const near = (e) => {
    const [px, py] = where(e);
    const far = handles.map((h) =>
      Math.hypot(plot.x(value(h.x, state)) - px, plot.y(value(h.y, state)) - py),
    );
    const best = far.indexOf(Math.min(...far));
    return far[best] < (e.pointerType === "mouse" ? 16 : 28) ? handles[best] : null;
  };
  canvas.addEventListener("pointerdown", (e) => {
    held = plot.held = near(e);
    if (held) (canvas.setPointerCapture(e.pointerId), e.preventDefault(), moved({}));
  });
  // a finger on a handle drags it, a finger elsewhere scrolls the page
  canvas.addEventListener("touchstart", (e) => held && e.preventDefault(), { passive: false });
  canvas.addEventListener("pointermove", (e) => {
    if (!held) return void (canvas.style.cursor = near(e) ? "grab" : "");
    const [px, py] = where(e);
    canvas.style.cursor = "grabbing";
    moved(held.move(plot.ux(px), plot.uy(py), state));
  });
  for (const done of ["pointerup", "pointercancel", "lostpointercapture"])
    canvas.addEventListener(
      done,
      () => held && ((held = plot.held = null), (canvas.style.cursor = ""), moved({})),
    );
}

// ---- the readout: a list in text, written at most every `pause` ms, and a quiet voice for those who cannot see it
export function readout(root, pause = 0) {
  const list = el("dl", { className: "gan-readout" });
  const voice = el("div", { className: "gan-hidden" });
  voice.setAttribute("aria-live", "polite");
  let timer = 0,
    later = 0,
    due = 0;
  const show = (rows) => {
    const now = performance.now();
    clearTimeout(later);
    if (now < due) return void (later = setTimeout(() => show(rows), due - now));
    due = now + pause;
    const same = list.childElementCount === rows.length;
    if (!same) list.replaceChildren(...rows.map(() => el("div", {}, el("dt"), el("dd"))));
    rows.forEach(([name, words, colour], i) => {
      const [dt, dd] = list.children[i].children;
      const said = typeof words === "number" ? number(words) : String(words);
      if (dt.dataset.name !== name) dt.replaceChildren(...rich((dt.dataset.name = name)));
      if (dd.textContent !== said) dd.textContent = said;
      dd.style.color = colour ? `var(--gan-${colour})` : "";
    });
    clearTimeout(timer);
    timer = setTimeout(
      () =>
        (voice.textContent = [...list.children]
          .map((d) => `${d.firstChild.textContent} ${d.lastChild.textContent}`)
          .join(", ")),
      700,
    );
  };
  return { nodes: [list, voice], show, stop: () => (clearTimeout(timer), clearTimeout(later)) };
}

export function legend(entries) {
  return el(
    "ul",
    { className: "gan-legend" },
    ...entries.map(([colour, words, mark = "line"]) => {
      const key = el("span", { className: `gan-key gan-key-${mark}` });
      key.style.color = `var(--gan-${colour})`;
      return el("li", {}, key, el("span", {}, ...rich(words)));
    }),
  );
}

// Calls draw at most once a frame, again when a plot's width or the theme changes. Returns { ask, stop }.
export function drawer(root, plots, draw) {
  let asked = 0,
    widths = "";
  const ask = () => (asked ||= requestAnimationFrame(go));
  const size = new ResizeObserver(() => {
    const now = plots.map((p) => p.node.clientWidth).join();
    if (now !== widths) ((widths = now), ask());
  });
  const observe = () => plots.forEach((p) => size.observe(p.node));
  function go() {
    asked = 0;
    if (root.clientWidth) return draw();
    // hidden, for a moment or behind a tab: observed anew, it calls as soon as it has a width again
    widths = "";
    size.disconnect();
    observe();
  }
  observe();
  const untheme = onTheme(root, ask);
  return { ask, stop: () => (size.disconnect(), untheme(), cancelAnimationFrame(asked)) };
}

// ---- a figure one explores: spec = {title, legend, controls, derive, plots, readout, values}
export function explorable(root, spec) {
  const alt = spec.alt || root.dataset.alt || spec.title;
  root.setAttribute("role", "group");
  root.setAttribute("aria-label", spec.title);
  const state = {};
  const controls = new Map();
  const say = readout(root);
  const plots = spec.plots.map((p) => new Plot(root, p, p.alt || (p.title ? `${p.title}. ${alt}` : alt)));

  const update = () => {
    if (spec.derive) Object.assign(state, spec.derive(state));
    pen.ask();
    if (spec.readout) say.show(spec.readout(state));
  };
  const set = (changes, more) => {
    const all = typeof changes === "string" ? { [changes]: more } : changes;
    for (const [id, v] of Object.entries(all)) {
      const c = controls.get(id);
      if (c) c.set(v);
      state[id] = c ? c.get() : v;
    }
    update();
  };
  const pen = drawer(root, plots, () => {
    for (const p of plots) {
      p.begin(state);
      p.spec.draw(p, state);
      p.end();
      for (const h of p.spec.handles || [])
        p.knob(value(h.x, state), value(h.y, state), { colour: value(h.colour, state), held: h === p.held });
    }
  });

  for (const c of spec.controls || []) {
    // a control may stand for more than its own number: what `change` returns is set with it
    const made = control(root, c.press ? { ...c, press: () => c.press(state, set) } : c, (id, v) =>
      set({ [id]: v, ...(c.change ? c.change(v, { ...state, [id]: v }) : {}) }),
    );
    controls.set(c.id, made);
    if (c.type !== "button") state[c.id] = made.get();
  }
  root.append(
    el("p", { className: "gan-title", textContent: spec.title }),
    ...(spec.legend ? [legend(spec.legend)] : []),
    el("div", { className: "gan-plots" }, ...plots.map((p) => p.node)),
    el("div", { className: "gan-controls" }, ...[...controls.values()].map((c) => c.node)),
    ...say.nodes,
  );
  for (const p of plots) draggable(p, state, set);
  update();
  const values = () => (spec.values ? spec.values(state) : { ...state });
  const handles = () =>
    plots.flatMap((p, plot) =>
      (p.spec.handles || []).map((h) => ({ plot, x: p.x(value(h.x, state)), y: p.y(value(h.y, state)) })),
    );
  root.gan = { state, set, values, handles }; // for tests, and for the curious
  return root.gan;
}
