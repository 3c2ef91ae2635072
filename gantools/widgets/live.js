// The arena before a game that trains in the kernel.
import { control, el, number } from "./canvas.js";
import { Arena, places } from "./arena.js";
import { unpack } from "./packed.js";

const MOST = 1200; // points of a loss curve before neighbours are merged

// Live.settings as controls: [id, {control}], in reading order
function knobs(about, settings) {
  const rate = (v) => number(10 ** v, v < -2.7 ? 5 : 4).replace(/0+$/, "");
  const all = {
    speed: { label: "turns a second", type: "select", options: about.speeds },
    loss: {
      label: "loss",
      type: "select",
      options: about.losses.map((value) => ({ value, label: value.replaceAll("_", " ") })),
    },
    steps: { label: `steps of the ${about.players[0]} a turn`, min: 1, max: 20, step: 1 },
    noise: { label: "instance noise (sd)", min: 0, max: 1, step: 0.01 },
    alpha: { label: "push α", min: 0, max: 1, step: 0.01 },
  };
  for (const name of about.players)
    all[`lr_${name}`] = {
      label: `learning rate, ${name}`,
      min: -5,
      max: -1,
      step: 0.05,
      format: rate,
      log: true,
    };
  return Object.entries(all)
    .filter(([id]) => id in settings)
    .map(([id, spec]) => ({ id, ...spec, value: shown(spec, settings[id]) }));
}
const shown = (spec, value) => (spec.log ? Math.log10(Math.max(value, 1e-5)) : value);

// One more row of losses; when there are too many, every two become one.
function grow(curve, turn, losses, pull) {
  curve.turns.push(turn);
  curve.losses.push(losses);
  curve.pulls.push(pull ?? NaN);
  if (curve.turns.length < MOST) return;
  const half = (list, f) =>
    Array.from({ length: list.length >> 1 }, (_, i) => f(list[2 * i], list[2 * i + 1]));
  curve.turns = half(curve.turns, (_, b) => b);
  curve.losses = half(curve.losses, (a, b) => a.map((v, i) => (v + b[i]) / 2));
  curve.pulls = half(curve.pulls, (a, b) => (Number.isNaN(a) ? b : a));
}

function render({ model, el: host }) {
  const about = model.get("_about");
  const root = el("div", { className: "gan gan-block", id: `gan-live-${model.model_id ?? ""}` });
  host.append(root);
  const ask = (what) => model.send(what);
  const status = () => model.get("_status");

  const button = (label, press) => el("button", { type: "button", textContent: label, onclick: press });
  const play = button("▶ Play", () => ask({ do: status().playing ? "pause" : "play" }));
  const one = button("One turn", () => ask({ do: "turn" }));
  const reset = button("Reset", () => ask({ do: "reset" }));
  const specs = knobs(about, status().settings);
  const made = new Map(
    specs.map((spec) => [
      spec.id,
      control(root, spec, (_, v) => ask({ set: spec.id, value: spec.log ? 10 ** v : v })),
    ]),
  );
  const node = (id) => made.get(id)?.node;
  const bar = el("div", { className: "gan-bar" }, play, one, reset, node("speed"), node("loss"));
  const rest = el(
    "div",
    { className: "gan-controls" },
    ...specs.filter((s) => !["speed", "loss"].includes(s.id)).map((s) => node(s.id)),
  );
  const error = el("p", { className: "gan-error", hidden: true });
  error.setAttribute("role", "alert");

  const arena = new Arena(root, { ...about, pause: 150 }, [bar, error, rest]);
  const players = about.players.length;
  arena.shape = arena.realShape = about.images;
  arena.keys({ " ": () => play.click(), ArrowRight: () => one.click(), r: () => reset.click() });

  function base() {
    const { real, turns, curve } = unpack(model.get("_base"));
    arena.real = about.box ? places(real, about.box) : real;
    arena.measured = { turns: [], rows: [] };
    arena.curve = {
      turns: [...turns],
      losses: Array.from(turns, (_, i) => [...curve.subarray(i * players, (i + 1) * players)]),
      pulls: Array.from(turns, () => NaN),
    };
    now = arena.curve.losses.at(-1) ?? null;
  }
  let now = null,
    drawn = 0;
  function frame() {
    const f = unpack(model.get("_frame"));
    if (!arena.real) return;
    const fake = about.box ? places(f.fake, about.box) : f.fake;
    if (f.losses) now = f.losses.map((v) => v ?? NaN);
    if (f.losses && !(f.turn <= arena.curve.turns.at(-1))) grow(arena.curve, f.turn, now, f.pull);
    if (f.measured.length && !(f.turn <= arena.measured.turns.at(-1))) arena.measure(f.turn, [...f.measured]);
    drawn++;
    arena.show(
      { turn: f.turn, fake, surface: f.surface, side: f.shapes.surface?.[0], arrows: f.arrows, pull: f.pull },
      now,
      [["device", about.device]],
    );
    // the kernel sends more when every other frame is on the screen (or the page is hidden)
    if (f.sequence % 2) return;
    document.hidden ? ask({ seen: f.sequence }) : requestAnimationFrame(() => ask({ seen: f.sequence }));
  }
  function tell() {
    const { playing, settings, level, error: wrong } = status();
    play.textContent = playing ? "❚❚ Pause" : "▶ Play";
    one.disabled = playing;
    arena.about = { ...about, level, loss: settings.loss };
    error.hidden = !wrong;
    error.textContent = wrong;
    for (const spec of specs) {
      const c = made.get(spec.id);
      if (c.input !== document.activeElement) c.set(shown(spec, settings[spec.id]));
    }
    arena.pen.ask();
  }
  const heard = { "change:_base": base, "change:_frame": frame, "change:_status": tell };
  for (const [event, f] of Object.entries(heard)) model.on(event, f);
  base();
  frame();
  tell();
  ask({ do: "hello" });
  root.gan = {
    values: () => ({ turn: arena.frame.turn, drawn, playing: status().playing, settings: status().settings }),
  };
  return () => {
    for (const [event, f] of Object.entries(heard)) model.off(event, f);
    arena.stop();
    ask({ do: "pause" });
  };
}

export default function live() {
  return { render };
}
