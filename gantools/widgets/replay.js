// A recorded game under a scrubber: no kernel, no network.
import { control, el } from "./canvas.js";
import { Arena, places, undo } from "./arena.js";
import { handed } from "./packed.js";

// The run as a function of the frame's index.
function frames(run) {
  const T = run.turns.length;
  const per = (name) => run.shapes[name].slice(1).reduce((a, b) => a * b, 1);
  const part = (name, k) => run[name]?.subarray(k * per(name), (k + 1) * per(name));
  if (!run.box) {
    undo(run.fake, T);
    return (k) => ({ turn: run.turns[k], fake: part("fake", k) });
  }
  run.shapes.steps = run.shapes.low;
  run.steps = undo(
    Uint16Array.from(run.low, (v, i) => v + 256 * run.high[i]),
    T,
  );
  if (run.surface) undo(run.surface, T);
  return (k) => ({
    turn: run.turns[k],
    fake: places(part("steps", k), run.box),
    surface: part("surface", k),
    side: run.shapes.surface?.[1],
    arrows: part("arrows", k),
    pull: run.pull?.[k],
  });
}

export default async function replay(root) {
  const run = await handed(root);
  const last = run.turns.length - 1;
  const at = frames(run);
  let k = 0,
    playing = false,
    clock = 0,
    debt = 0;

  const button = (label, title, press) =>
    el("button", { type: "button", textContent: label, title, onclick: press });
  const play = button("▶ Play", "Play or pause (space)", () => (playing ? pause() : start()));
  const back = button("‹", "One frame back (left arrow)", () => (pause(), go(k - 1)));
  const on = button("›", "One frame on (right arrow)", () => (pause(), go(k + 1)));
  back.setAttribute("aria-label", "One frame back");
  on.setAttribute("aria-label", "One frame on");
  const scrub = control(
    root,
    {
      id: "frame",
      label: "turn",
      min: 0,
      max: last,
      step: 1,
      value: 0,
      format: (v) => `${run.turns[v]} of ${run.turns[last]}`,
    },
    (_, v) => (pause(), go(v)),
  );
  const speed = control(
    root,
    { id: "speed", label: "frames a second", type: "select", options: ["5", "15", "30", "60"], value: "15" },
    () => {},
  );
  scrub.node.classList.add("gan-scrub");
  const bar = el("div", { className: "gan-bar" }, play, back, on, scrub.node, speed.node);

  const arena = new Arena(root, { ...run, alt: root.dataset.alt }, [bar]);
  const players = run.players.length;
  const rows = run.shapes.curve[0];
  arena.whole = run.turns[last];
  arena.real = run.box ? places(run.real, run.box) : run.real;
  arena.shape = run.shapes.fake?.slice(1);
  arena.realShape = run.shapes.real;
  const first = run.turns[0];
  arena.curve = {
    turns: Array.from({ length: rows }, (_, i) => first + ((i + 0.5) * run.played) / rows),
    losses: Array.from({ length: rows }, (_, i) => [...run.curve.subarray(i * players, (i + 1) * players)]),
    pulls: run.pull ? [...run.pull] : [],
    pullTurns: run.turns,
  };
  const kinds = run.measures.length;
  if (kinds)
    arena.measured = {
      turns: run.turns,
      rows: run.turns.map((_, i) => [...run.measured.subarray(i * kinds, (i + 1) * kinds)]),
    };

  function go(to) {
    k = Math.max(0, Math.min(last, to));
    scrub.set(k);
    const frame = at(k);
    const row = Math.ceil(((frame.turn - first) / run.played) * rows) - 1;
    arena.show(frame, row < 0 ? null : arena.curve.losses[row]);
  }
  const pause = () => ((playing = false), (play.textContent = "▶ Play"));
  function start() {
    if (k === last) go(0);
    playing = true;
    play.textContent = "❚❚ Pause";
    clock = performance.now();
    debt = 0;
    requestAnimationFrame(step);
  }
  function step(now) {
    if (!playing) return;
    if (!root.isConnected) return pause();
    debt += Math.min(0.25, (now - clock) / 1000) * +speed.get();
    clock = now;
    if (debt >= 1) (go(k + Math.floor(debt)), (debt %= 1));
    k === last ? pause() : requestAnimationFrame(step);
  }
  arena.keys({
    " ": () => play.click(),
    ArrowRight: () => on.click(),
    ArrowLeft: () => back.click(),
    Home: () => (pause(), go(0)),
    End: () => (pause(), go(last)),
  });
  root.gan = { go, values: () => ({ frame: k, turn: run.turns[k], playing, fake: [...at(k).fake] }) };
  go(0);
}
