"""Figures that move: what they are told and what they show, without network and in a real JupyterLab."""

import gzip
import json
import re
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from axe_playwright_python.sync_playwright import Axe
from lab import lab, run_all
from scipy.integrate import trapezoid

from gantools import data, nets, p2gan, penalties
from gantools.figures import COLOURS, DARK
from gantools.game import gan
from gantools.recording import Recording, View, record, snapshot
from gantools.widgets import Live, Replay, explore, packing
from gantools.widgets.blocks import bundle
from gantools.widgets.live import Curve

DEMO = Path(__file__).with_name("demo.js")


def ring(**kwargs):
    players = nets.mlp([2, 16, 2]), nets.mlp([2, 16, 1], seed=1)
    return gan(*players, data.ring(8), batch_size=32, device="cpu", **kwargs)


def digits():
    generator = nets.mlp([8, 16, 64], output="tanh", shape=(1, 8, 8))
    return gan(generator, nets.mlp([64, 16, 1]), data.load("digits"), latent=8, batch_size=16, device="cpu")


@pytest.fixture(scope="module")
def run():
    return record(ring(), turns=40, every=4, points=30, grid=6, arrows=5, title="A short run")


def unpack(packed):
    """The inverse of packing.pack, as packed.js has it."""
    at = 4 + int.from_bytes(packed[:4], "little")
    head = json.loads(packed[4:at])
    for name, kind, shape in head.pop("arrays"):
        size = int(np.prod(shape)) * np.dtype(kind).itemsize
        head[name] = np.frombuffer(packed[at : at + size], np.dtype(kind).newbyteorder("<")).reshape(shape)
        at += size
    assert at == len(packed)
    return head


# packing --------------------------------------------------------------------------------------------


def test_what_is_packed_comes_out():
    arrays = {"a": np.arange(6, dtype=np.uint16).reshape(2, 3), "b": np.array([1.5], np.float32)}
    arrays["c"] = np.zeros((0, 2), np.int8)
    found = unpack(packing.pack({"turn": 3}, arrays))
    assert found.pop("turn") == 3
    assert all(np.array_equal(found[k], arrays[k]) and found[k].dtype == arrays[k].dtype for k in arrays)
    with pytest.raises(ValueError):
        packing.pack({"loss": float("nan")}, {})


def test_positions_are_kept_to_a_fraction_of_a_pixel_and_what_is_far_stays_at_the_edge():
    box = (-1.0, 3.0, 0.0, 2.0)
    points = np.array([[-1, 0], [3, 2], [0.123, 1.999], [-4.9, 3.9], [99, -99]])
    steps = packing.positions(points, box)
    back = np.array([-5, -2]) + steps * np.array([12, 6]) / packing.STEPS
    assert np.abs(back[:4] - points[:4]).max() < 12 / packing.STEPS
    assert steps[4].tolist() == [packing.STEPS, 0]


def test_arrows_grow_with_the_pull_and_vanish_with_it():
    box = (-1.0, 1.0, -1.0, 1.0)
    pulls = np.array([[1, 0], [0.1, 0], [1e-4, 0], [0, 0], [1e6, 0], [-0.6, 0.8]])
    drawn = packing.arrows(pulls, box)
    assert drawn[:5, 0].tolist() == [round(127 / 2), round(127 * 0.1 / 1.1), 0, 0, 127]
    assert drawn[5].tolist() == [-38, 51]


def test_a_curve_keeps_its_mean_and_its_room():
    losses = np.random.default_rng(0).normal(size=(1801, 2)).astype(np.float32)
    short = packing.curve(losses, 600)
    assert short.shape == (600, 2)
    lengths = np.diff(np.linspace(0, 1801, 601).round())
    assert np.allclose((short * lengths[:, None]).sum(0), losses.sum(0), atol=1e-2)
    assert np.array_equal(packing.curve(losses[:5]), losses[:5])


def test_a_loss_that_is_not_there_yet_leaves_a_gap_and_spoils_no_mean():
    losses = np.stack([np.ones(1000), np.where(np.arange(1000) < 301, np.nan, 5.0)], 1).astype(np.float32)
    short = packing.curve(losses, 100)
    assert np.isnan(short[:30, 1]).all() and np.allclose(short[30:, 1], 5) and np.allclose(short[:, 0], 1)


def test_a_long_run_s_curve_stays_short():
    curve = Curve(2)
    for turn in range(1, 5001):
        curve.add(turn, [turn, -turn])
    found = curve.arrays()
    assert len(found["turns"]) < 2 * packing.CURVE
    assert found["turns"][-1] > 4990
    middle = found["turns"] - (curve.stretch - 1) / 2  # the mean of a stretch that ends at `turns`
    assert np.allclose(found["curve"], np.stack([middle, -middle], 1))


def test_a_recording_is_packed_without_loss_but_rounding(run):
    found = unpack(packing.recording(run))
    steps = found["low"].astype(np.uint16) + 256 * found["high"].astype(np.uint16)
    steps = np.cumsum(steps, axis=0, dtype=np.uint16)
    assert np.array_equal(steps, packing.positions(run.fake, run.about["box"]))
    assert np.array_equal(np.cumsum(found["surface"], axis=0, dtype=np.uint8), run.surface.numpy())
    assert found["turns"] == run.turns.tolist() and found["played"] == 40
    assert np.allclose(found["pull"], torch.linalg.norm(run.pull, dim=2).mean(1).numpy())


def test_a_live_frame_is_small():
    game = ring()
    packed = packing.frame(snapshot(game, view := View.of(game)), view.box, {"losses": None})
    assert len(packed) < 4000
    assert unpack(packed)["fake"].shape == (400, 2)


def test_a_replay_weighs_at_most_half_a_megabyte():
    players = nets.mlp([2, 64, 2]), nets.mlp([2, 64, 1], seed=1)
    game = gan(*players, data.ring(8), batch_size=64, lr=3e-3, device="cpu")
    html = Replay(record(game, 298, 2), alt="A ring.").html  # 150 frames of 400 points
    assert len(gzip.compress(html.encode())) < 500_000


# blocks ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("alt", [None, " "])
def test_a_block_without_words_is_refused(alt, run):
    with pytest.raises(ValueError, match="alt is empty"):
        explore(DEMO, alt=alt)
    with pytest.raises(ValueError, match="alt is empty"):
        Replay(run, alt=alt)


def test_unknown_figures_and_parts_are_named():
    with pytest.raises(ValueError, match="no figure 'nothing'; there are"):
        explore("nothing", alt="x")
    with pytest.raises(ValueError, match="no part 'nothing'; there are: default, demo"):
        explore(DEMO, "nothing", alt="x")


def test_a_block_asks_the_network_for_nothing_and_is_the_same_on_every_build(run):
    for make in (lambda: explore(DEMO, alt='So "so" & <so>.'), lambda: Replay(run, alt='So "so" & <so>.')):
        one, two = make(), make()
        assert one.id != two.id and one.html.replace(one.id, "") == two.html.replace(two.id, "")
        assert not re.search(r"https?:|\bimport\b.*from|src=|@import|url\(", one.html)
        assert "<noscript><p>So &quot;so&quot; &amp; &lt;so&gt;." in one.html
        assert repr(one) == 'Figure: So "so" & <so>.'


def test_a_module_that_cannot_be_written_into_a_page_is_refused(tmp_path):
    for source in ("export { a };\n", 'import x from "./canvas.js";\n', "const a = '</script>';\n"):
        (tmp_path / "bad.js").write_text(source)
        with pytest.raises(ValueError, match="bad.js: write"):
            bundle(tmp_path / "bad.js")


# in a page without network --------------------------------------------------------------------------


@pytest.fixture
def show(browser):
    """Put blocks on a page of their own; any request or script error fails the test."""
    wrong, pages = [], []

    def open_page(*blocks, theme="light", width=1000):
        page = browser.new_page(viewport={"width": width, "height": 900})
        page.route("**/*", lambda route: (wrong.append(route.request.url), route.abort()))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda message: message.type == "error" and wrong.append(message.text))
        pages.append(page)
        palette = {"light": COLOURS, "dark": DARK}[theme]
        page.set_content(
            f"<!doctype html><html lang=en data-theme={theme}><title>t</title>"
            f"<body style='background:{palette['paper']};color:{palette['ink']}'>"
            f"<main><h1>Figures</h1>{''.join(block.html for block in blocks)}</main>"
        )
        page.wait_for_function("[...document.querySelectorAll('.gan-block')].every(b => b.gan)")
        settle(page)
        return page

    yield open_page
    for page in pages:
        page.close()
    assert not wrong


def settle(page):
    """Wait until what was asked for is drawn."""
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


def pixels(page, n=0):
    settle(page)
    return page.locator("canvas").nth(n).evaluate("c => c.toDataURL()")


def axe(page):
    found = Axe().run(page).response["violations"]
    grave = [v for v in found if v["impact"] in ("serious", "critical")]
    return [(v["id"], [node["html"] for node in v["nodes"]]) for v in grave]


def test_a_figure_is_moved_by_the_keyboard(show):
    page = show(explore(DEMO, alt="Two bell curves."))
    before, said = pixels(page), page.locator(".gan-readout").inner_text()
    slider = page.get_by_label("mean of p")
    slider.focus()
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    assert float(slider.input_value()) == pytest.approx(1.7)
    assert pixels(page) != before and page.locator(".gan-readout").inner_text() != said
    assert page.locator("output").first.inner_text() == "1.70"
    kl = 1.7**2 / 2  # KL(N(0,1), N(m,1)) in nats
    shown = page.evaluate("document.querySelector('.gan-block').gan.values().kl")
    assert shown == pytest.approx(kl, abs=1e-3)
    page.wait_for_function("document.querySelector('[aria-live]').textContent.includes('mean 1.700')")
    page.get_by_role("button", name="Back to the start").press("Enter")
    assert float(slider.input_value()) == 1.5 and pixels(page) == before


def test_a_handle_is_dragged_and_its_slider_goes_with_it(show):
    page = show(explore(DEMO, alt="Two bell curves."))
    box = page.locator("canvas").first.bounding_box()
    at = page.evaluate("document.querySelector('.gan-block').gan.handles()[0]")
    page.mouse.move(box["x"] + at["x"], box["y"] + at["y"])
    page.mouse.down()
    page.mouse.move(box["x"] + at["x"] - 60, box["y"] + at["y"], steps=4)
    page.mouse.up()
    assert float(page.get_by_label("mean of p").input_value()) < 0.6
    assert page.evaluate("document.querySelector('.gan-block').gan.state.mean") < 0.6


def test_the_small_mathematics_of_the_base_is_right(show):
    page = show(explore(DEMO, alt="Two bell curves."))
    found = page.evaluate("document.querySelector('.gan-block').gan.values().check")
    x = np.linspace(-2, 2, 9)
    density = np.exp(-((x - 0.5) ** 2) / 8) / (2 * np.sqrt(2 * np.pi))
    assert found["pdf"] == pytest.approx(density.tolist())
    assert found["area"] == pytest.approx(trapezoid(density, x))
    draws = np.array(found["normal"])
    assert abs(draws.mean()) < 0.1 and abs(draws.std() - 1) < 0.1 and found["again"] == found["normal"][0]
    assert found["words"] == ["∞", "−∞", "not a number", "−0.500", "0.000", "1.0·10⁻⁷"]
    assert found["ticks"] == pytest.approx([-2, -1, 0, 1, 2])


def test_blocks_share_a_page_without_clashing(show, run):
    page = show(explore(DEMO, alt="One."), explore(DEMO, alt="Two."), Replay(run, alt="Three."))
    page.evaluate("document.querySelectorAll('.gan-block')[0].gan.set('mean', -3)")
    states = page.evaluate("[0, 1].map(k => document.querySelectorAll('.gan-block')[k].gan.state.mean)")
    assert states == [-3, 1.5]
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)")
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_blocks_fit_and_everybody_can_use_them(show, run, theme, width):
    page = show(explore(DEMO, alt="Two bell curves."), Replay(run, alt="A ring."), theme=theme, width=width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert not axe(page)
    for canvas in page.locator("canvas").all():
        assert canvas.get_attribute("role") == "img" and canvas.get_attribute("aria-label")
        assert canvas.bounding_box()["width"] > 100


def test_the_canvas_takes_the_colours_of_the_theme_and_follows_it(show):
    page = show(explore(DEMO, alt="Two bell curves."))
    light = pixels(page)
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    page.wait_for_timeout(50)
    assert pixels(page) != light
    page.evaluate("document.documentElement.dataset.theme = 'light'")
    page.wait_for_timeout(50)
    assert pixels(page) == light
    wanted = [int(COLOURS["data"][i : i + 2], 16) for i in (1, 3, 5)]
    assert page.locator("canvas").first.evaluate(
        """(c, [r, g, b]) => {
            const d = c.getContext("2d").getImageData(0, 0, c.width, c.height).data;
            for (let i = 0; i < d.length; i += 4) if (d[i] === r && d[i+1] === g && d[i+2] === b) return true;
            return false;
        }""",
        wanted,
    )


def value(page, key):
    return page.evaluate("key => document.querySelector('.gan-arena').gan.values()[key]", key)


def test_a_replay_is_scrubbed_by_the_keyboard(show, run):
    page = show(Replay(run, alt="A ring."))
    first, curves = pixels(page), pixels(page, 1)
    scrub = page.get_by_label("turn", exact=True)
    scrub.focus()
    page.keyboard.press("ArrowRight")
    assert value(page, "turn") == 4
    assert pixels(page) != first and pixels(page, 1) != curves
    assert page.locator("output").first.inner_text() == "4 of 40"
    page.keyboard.press("End")
    readout = page.locator(".gan-readout").inner_text().split()
    last = run.losses[-1].tolist()
    assert readout[:2] == ["turn", "40"]
    assert f"{last[0]:.3f}" in readout and f"{last[1]:.3f}" in readout
    page.keyboard.press("Home")
    assert pixels(page) == first
    page.get_by_role("group", name="Pictures of the game").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    assert value(page, "frame") == 1


def test_a_replay_shows_the_points_that_were_recorded(show, run):
    page = show(Replay(run, alt="A ring."))
    step = 3 * (run.about["box"][1] - run.about["box"][0]) / packing.STEPS
    for k in (0, 3, 10):
        page.evaluate("k => document.querySelector('.gan-arena').gan.go(k)", k)
        assert value(page, "fake") == pytest.approx(run.fake[k].flatten().tolist(), abs=0.51 * step)


def test_a_replay_waits_plays_to_its_end_and_stops(show, run):
    page = show(Replay(run, alt="A ring."))
    page.wait_for_timeout(200)
    assert value(page, "frame") == 0 and not value(page, "playing")
    page.get_by_label("frames a second").select_option("60")
    # pressed and asked in one go: eleven frames may be over before a second question comes
    press = "(it) => (it.dispatchEvent(new KeyboardEvent('keydown', {key: ' '})), "
    now = "document.querySelector('.gan-arena').gan.values()"
    assert page.get_by_role("group", name="Pictures of the game").evaluate(f"{press}{now}.playing)")
    page.wait_for_function("document.querySelector('.gan-arena').gan.values().frame === 10")
    page.wait_for_function("!document.querySelector('.gan-arena').gan.values().playing")
    again = page.get_by_role("button", name="Play").evaluate(f"(it) => (it.click(), {now})")
    assert again["playing"] and again["frame"] < 10  # from the start again


def test_the_layers_of_a_replay_can_be_taken_away(show, run):
    page = show(Replay(run, alt="A ring."))
    seen = [pixels(page)]
    for layer in ("what D thinks", "pull on the generator"):
        page.get_by_label(layer).uncheck()
        seen.append(pixels(page))
    assert len(set(seen)) == 3
    curves = pixels(page, 1)
    page.get_by_label("curves").select_option("pull")
    assert pixels(page, 1) != curves


def crowd(k=3, **options):
    """k generators that join at turns 0, 4, 8, ..."""
    players = nets.mlp([4, 16, 2]), nets.mlp([2, 16, 1], seed=1)
    options = {"since": 4, "alpha": 0.2, "batch_size": 16, "device": "cpu"} | options
    return p2gan.game(*players, data.ring(8), p2gan.pooled(k), **options)


def has_colour(page, colour):
    """Whether a pixel of the first canvas is of that very colour."""
    settle(page)
    return page.locator("canvas").first.evaluate(
        """(c, [r, g, b]) => {
            const d = c.getContext("2d").getImageData(0, 0, c.width, c.height).data;
            for (let i = 0; i < d.length; i += 4) if (d[i] === r && d[i+1] === g && d[i+2] === b) return true;
            return false;
        }""",
        [int(colour[i : i + 2], 16) for i in (1, 3, 5)],
    )


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_generator_has_its_colour_from_the_turn_at_which_it_joins(show, theme):
    palette = {"light": COLOURS, "dark": DARK}[theme]
    page = show(Replay(record(crowd(), 10, 2, points=60, grid=4, arrows=0), alt="Three generators."), theme=theme)
    legend = page.locator(".gan-legend").inner_text()
    assert all(f"generator {j}" in legend for j in (1, 2, 3)) and "generated" not in legend
    for frame, there in ((0, 1), (1, 1), (2, 2), (3, 2), (4, 3), (5, 3)):
        page.evaluate("k => document.querySelector('.gan-arena').gan.go(k)", frame)
        assert [has_colour(page, palette[f"g{j}"]) for j in (1, 2, 3)] == [j <= there for j in (1, 2, 3)]
        assert f"generators {there} of 3" in " ".join(page.locator(".gan-readout").inner_text().split())
    assert not axe(page)


def test_players_that_join_later_have_no_number_until_then(show):
    run = record(crowd(together=False), 10, 2, points=9, grid=3, arrows=0)
    page = show(Replay(run, alt="Three generators, one after another."))
    said = lambda: " ".join(page.locator(".gan-readout").inner_text().split())
    page.evaluate("document.querySelector('.gan-arena').gan.go(2)")
    settle(page)
    assert "generator 2's loss –" in said() and "not a number" not in said()
    page.evaluate("document.querySelector('.gan-arena').gan.go(5)")
    settle(page)
    assert f"generator 3's loss {run.losses[-1, 3]:.3f}".replace("-", "−") in said()


@pytest.mark.parametrize("file", sorted(Path(__file__).parents[1].glob("book/results/*.safetensors")), ids=lambda f: f.stem)
def test_the_recordings_of_the_book_are_packed(file):
    kept = Recording.load(file)
    found = unpack(packing.recording(kept))
    assert found["since"] == kept.about.get("since", []) and found["title"] == kept.about["title"]


def test_images_are_replayed_pixel_by_pixel(show):
    run = record(digits(), 4, 2, points=9)
    page = show(Replay(run, alt="Digits."))
    page.evaluate("document.querySelector('.gan-arena').gan.go(2)")
    assert value(page, "fake") == run.fake[2].flatten().tolist()
    assert page.locator("canvas").count() == 3
    assert len({pixels(page, 0), pixels(page, 1)}) == 2


def test_where_real_images_may_not_be_shown_there_is_no_sheet_of_them(show):
    whole = record(digits(), turns=6, every=3, points=9)
    shown = show(Replay(whole, alt="Digits.")).get_by_role("img", name="Real images, to compare with.").count()
    bare = show(Replay(replace(whole, real=whole.real[:0]), alt="Digits."))
    assert shown == 1 and bare.get_by_role("img", name="Real images, to compare with.").count() == 0
    assert value(bare, "frame") == 0 and bare.get_by_role("img", name="Digits.").count() == 1


TURN = {"W1": lambda game: 2 - game.number / 20}  # a measure that is known at every turn


@pytest.fixture(scope="module")
def measured():
    return record(ring(), turns=20, every=4, points=20, grid=4, arrows=3, title="Measured", measure=TURN)


def test_a_replay_draws_and_says_what_was_measured(show, measured):
    found = unpack(packing.recording(measured))
    assert found["measures"] == ["W1"]
    assert found["measured"][:, 0] == pytest.approx([2, 1.8, 1.6, 1.4, 1.2, 1])
    page = show(Replay(measured, alt="A ring."))
    page.evaluate("document.querySelector('.gan-arena').gan.go(2)")
    settle(page)
    assert "W1 1.600" in " ".join(page.locator(".gan-readout").inner_text().split())
    both = pixels(page, 1)
    said = page.locator("canvas").nth(1).get_attribute("aria-label")
    assert said.startswith("W1, turn by turn; or the losses")
    page.get_by_label("curves").select_option("losses")
    losses_alone = pixels(page, 1)
    page.get_by_label("curves").select_option("pull")
    assert len({both, losses_alone, pixels(page, 1)}) == 3
    assert not axe(page)


def test_a_measures_name_may_have_two_words_or_an_index(measured):
    names = ["power_spectrum", "W_1"]
    two = replace(measured, about={**measured.about, "measures": names}, measures=measured.measures.repeat(1, 2))
    assert unpack(packing.recording(two))["measures"] == ["power spectrum", "W_1"]


def test_few_measurements_beside_a_long_curve_stay_in_the_picture(show, measured):
    """Six of them, from 2 to 1, and 600 points of an estimate that is drawn at 0.7."""
    about = {**measured.about, "loss": "wasserstein", "players": ["critic", "generator"]}
    long = replace(measured, about=about, losses=torch.full((600, 2), -0.0007))
    page = show(Replay(long, alt="A ring."))
    page.evaluate("document.querySelector('.gan-arena').gan.go(5)")
    settle(page)
    purple = """() => { const c = document.querySelectorAll("canvas")[1], probe = c.getContext("2d");
        const role = getComputedStyle(document.querySelector(".gan-arena")).getPropertyValue("--gan-other").trim();
        const [r, g, b] = (probe.fillStyle = role, probe.fillStyle).match(/\\w\\w/g).map((two) => parseInt(two, 16));
        const d = probe.getImageData(0, 0, c.width, c.height).data;
        return d.filter((v, i) => i % 4 == 0 && v == r && d[i + 1] == g && d[i + 2] == b && d[i + 3] == 255).length; }"""
    assert page.evaluate(purple) > 50


def test_the_label_of_an_axis_is_made_small_enough(show, measured):
    """Nothing of it is cut off: the first rows of the chart's canvas, left of the axis, stay empty."""
    ink = """() => { const c = document.querySelectorAll("canvas")[1], s = devicePixelRatio;
        const count = (y, h) => c.getContext("2d").getImageData(0, y, 20 * s, h).data.filter((v, i) => i % 4 == 3 && v).length;
        return [count(0, 2), count(c.height - 2, 2), count(0, c.height)]; }"""
    seen = []
    for name in ("W1", "the distance of one law from another law, in units that nobody knows"):
        about = {**measured.about, "loss": "wasserstein", "players": ["critic", "generator"], "measures": [name]}
        seen.append(show(Replay(replace(measured, about=about), alt="A ring.")).evaluate(ink))
    (above, below, short), (over, under, long) = seen
    assert above == below == over == under == 0 < short < long


def test_only_a_critics_loss_stands_beside_what_was_measured(show, measured):
    """Minus its loss is a distance; minus a discriminator's is no estimate of what is measured."""
    critic = replace(measured, about={**measured.about, "loss": "wasserstein", "players": ["critic", "generator"]})
    page = show(Replay(critic, alt="A ring."))
    said = page.locator("canvas").nth(1).get_attribute("aria-label")
    assert said.startswith("W1 beside what the critic estimates; or the losses")
    assert page.get_by_label("curves").locator("option").first.inner_text() == "W1 and estimate"
    both = pixels(page, 1)
    page = show(Replay(measured, alt="A ring."))
    assert page.get_by_label("curves").locator("option").first.inner_text() == "what was measured"
    assert pixels(page, 1) != both


def test_every_line_of_the_chart_has_a_colour_of_its_own(show):
    three = {name: (lambda game, k=k: k + game.number / 9) for k, name in enumerate(("one", "two", "three"))}
    page = show(Replay(record(ring(), 4, 2, points=20, grid=4, measure=three), alt="A ring."))
    colours = page.locator(".gan-key-line").evaluate_all("keys => keys.map((key) => getComputedStyle(key).color)")
    names = page.locator(".gan-legend li:has(.gan-key-line)").all_inner_texts()
    assert names[1:] == ["discriminator's loss", "generator's loss", "one", "two", "three"]
    assert len(set(colours[1:])) == 5


def test_a_run_without_measures_offers_none(show, run):
    page = show(Replay(run, alt="A ring."))
    options = page.get_by_label("curves").locator("option").all_inner_texts()
    assert options == ["losses", "mean pull (log)"]


# Live without a front end ---------------------------------------------------------------------------


def test_live_is_inert_until_it_is_told():
    threads = threading.active_count()
    live = Live(ring())
    time.sleep(0.05)
    assert live.game.number == 0 and not live.playing and threading.active_count() == threads
    assert live.run(3).number == 3 == unpack(live._frame)["turn"]
    shown = live._repr_mimebundle_()[0]
    assert "application/vnd.jupyter.widget-view+json" in shown and "open the notebook" in shown["text/html"]
    assert repr(live) == "Live: A game, live, turn 3"


def test_live_measures_at_some_frames_and_whenever_it_stands_still():
    seen = []
    live = Live(ring(), measure={"turn": lambda game: seen.append(game.number) or game.number})
    assert live._about["measures"] == ["turn"] and unpack(live._frame)["measured"] == [0]
    live.run(3)
    assert unpack(live._frame)["measured"] == [3]
    live.play()
    wait(lambda: live._sent > 14)
    live.pause()
    assert unpack(live._frame)["measured"] == [live.game.number]
    assert 3 < len(seen) < live._sent  # not at every frame
    assert unpack(Live(ring())._frame)["measured"] == []


def test_live_shows_many_generators_and_turns_their_push():
    live = Live(crowd(together=False))
    assert live._about["since"] == [0, 4, 8] and live.settings["alpha"] == 0.2
    live.run(2)
    assert unpack(live._frame)["losses"][2:] == [None, None]
    live.set(alpha=0.7)
    assert live.game.rules.alpha == 0.7
    live.run(8)
    assert all(v is not None for v in unpack(live._frame)["losses"])
    with pytest.raises(ValueError, match="alpha weighs a push"):
        live.set(alpha=-0.1)
    with pytest.raises(ValueError, match="nothing named 'alpha'"):
        Live(ring()).set(alpha=0.1)


def test_the_wasserstein_loss_is_offered_where_something_keeps_the_critic_smooth():
    offered = lambda game: Live(game)._about["losses"]
    assert "wasserstein" not in offered(ring()) and "hinge" in offered(ring())
    assert "wasserstein" in offered(ring(after=penalties.clip(0.1)))
    assert "wasserstein" in offered(ring(penalty=penalties.gradient(1.0)))
    assert offered(ring(loss="wasserstein"))[0] == "wasserstein"  # its own, in any case


def test_live_plays_in_a_thread_and_pauses():
    live = Live(ring())
    live.play()
    thread = live._thread
    wait(lambda: live.game.number > 3 and live._sent > 2)
    assert live.playing and live._status["playing"] and thread.daemon
    live.pause()
    stood = live.game.number
    assert not thread.is_alive() and not live._status["playing"]
    assert unpack(live._frame)["turn"] == stood
    time.sleep(0.05)
    assert live.game.number == stood


def test_live_and_a_plain_loop_play_the_same_game():
    live, alone = Live(ring()), ring()
    live.play()
    wait(lambda: live.game.number >= 5)
    live.pause()
    alone.run(live.game.number)
    mine, other = live.game.state()["tensors"], alone.state()["tensors"]
    assert all(torch.equal(mine[k], other[k]) for k in mine)


def test_reset_goes_back_to_the_start_and_keeps_the_controls():
    live = Live(ring())
    live.set(loss="hinge", noise=0.2, steps=3, lr_generator=2e-4, speed="20")
    live.run(4)
    live.reset()
    assert live.game.number == 0 and live._status["level"] == 2.0
    assert live.settings == {
        "speed": "20", "steps": 3, "loss": "hinge", "noise": 0.2,
        "lr_discriminator": 1e-3, "lr_generator": 2e-4,
    }  # fmt: skip
    assert torch.equal(live.game.sample(5), ring().sample(5))
    assert len(unpack(live._base)["turns"]) == 0


def test_speed_is_kept():
    live = Live(ring())
    live.set(speed="20")
    live.play()
    began = time.monotonic()
    time.sleep(0.5)
    live.pause()
    assert 0 < live.game.number <= 20 * (time.monotonic() - began) + 1


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ({"loss": "nothing"}, "no loss named"), ({"noise": -1}, "noise"), ({"noise": float("nan")}, "noise"),
        ({"steps": 0}, "steps"), ({"steps": 1.5}, "steps"), ({"speed": "9"}, "speed"),
        ({"lr_generator": -1e-3}, "rate"), ({"lr_nobody": 1e-3}, "no player"),
        ({"colour": 1}, "nothing named"),
    ],
)  # fmt: skip
def test_settings_that_cannot_be_are_refused_and_change_nothing(setting, words):
    live = Live(ring())
    before = live.settings
    with pytest.raises(ValueError, match=words):
        live.set(noise=0.5, **setting) if "noise" not in setting else live.set(steps=2, **setting)
    assert live.settings == before


def test_what_goes_wrong_is_said_in_the_widget_and_pauses_it():
    game = ring()
    live = Live(game)
    loss = game.players[1].loss
    game.players[1].loss = lambda batch: loss(batch) * (float("nan") if batch.turn > 5 else 1)
    live.play()
    wait(lambda: live._status["error"])
    assert "turn 6: the generator's loss is nan" in live._status["error"]
    wait(lambda: not live.playing)
    live.reset()
    assert live._status["error"] == "" and game.number == 0


def test_what_the_page_asks_for_is_done_and_nonsense_is_answered_in_words():
    live = Live(ring())
    live._answer(None, {"do": "turn"}, [])
    assert live.game.number == 1
    live._answer(None, {"set": "loss", "value": "minimax"}, [])
    assert live.game.rules.loss == "minimax"
    live._answer(None, {"set": "loss", "value": "nothing"}, [])
    assert "no loss named" in live._status["error"] and live.game.rules.loss == "minimax"
    live._answer(None, {"do": "format the disk"}, [])
    assert live.game.number == 1


def test_a_game_that_cannot_be_shown_has_no_live():
    line = gan(nets.mlp([2, 4, 1]), nets.mlp([1, 4, 1]), data.normal(0, 1), device="cpu")
    with pytest.raises(ValueError, match="points of the plane"):
        Live(line)


def wait(condition, patience=20):
    end = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


# in JupyterLab --------------------------------------------------------------------------------------

CELLS = [
    """\
import torch
from gantools import data, figures, nets
from gantools.game import gan
from gantools.recording import record
from gantools.widgets import Live, Replay, explore
torch.set_num_threads(1)
game = gan(nets.mlp([2, 32, 2]), nets.mlp([2, 32, 1], seed=1), data.ring(8), batch_size=64, device="cpu")
live = Live(game, title="A ring, live")
live""",
    f"explore({str(DEMO)!r}, alt='Two bell curves.')",
    """\
fresh = gan(nets.mlp([2, 8, 2]), nets.mlp([2, 8, 1]), data.ring(3), device="cpu")
Replay(record(fresh, 4, 1, points=20), alt='A ring.')""",
]


def test_in_jupyterlab(browser):
    with lab(*CELLS) as address:
        page = browser.new_page(viewport={"width": 1100, "height": 1400})
        wrong = []
        page.on("pageerror", lambda error: wrong.append(str(error)))
        run_all(page, address)
        shown = "[...document.querySelectorAll('.gan-block')].filter(b => b.gan).length === 3"
        page.wait_for_function(shown, timeout=90_000)
        block = page.locator(".gan-block", has_text="A ring, live")
        turn = lambda: block.evaluate("b => b.gan.values().turn")
        rises = "([b, n]) => b.gan.values().turn > n"
        still = "([b]) => b.gan.values().playing === false"
        handle = block.element_handle()
        canvas = block.locator("canvas").first
        before = canvas.evaluate("c => c.toDataURL()")
        assert turn() == 0

        block.get_by_role("button", name="One turn").click()
        page.wait_for_function(rises, arg=[handle, 0])
        assert turn() == 1
        block.get_by_role("group", name="Pictures of the game").press(" ")  # play, by the keyboard
        page.wait_for_function(rises, arg=[handle, 20], timeout=30_000)
        assert canvas.evaluate("c => c.toDataURL()") != before
        block.get_by_label("loss", exact=True).select_option("least_squares")
        page.wait_for_function("([b]) => b.gan.values().settings.loss === 'least_squares'", arg=[handle])

        block.get_by_role("button", name="Pause").click()
        page.wait_for_function(still, arg=[handle])
        page.wait_for_timeout(200)
        stood, picture = turn(), canvas.evaluate("c => c.toDataURL()")
        assert block.locator(".gan-readout").inner_text().split()[:2] == ["turn", str(stood)]
        page.wait_for_timeout(500)
        assert turn() == stood and canvas.evaluate("c => c.toDataURL()") == picture

        page.evaluate("void jupyterapp.commands.execute('apputils:change-theme', {theme: 'JupyterLab Dark'})")
        page.wait_for_function("document.body.dataset.jpThemeLight === 'false'")
        page.wait_for_function("([c, old]) => c.toDataURL() !== old", arg=[canvas.element_handle(), picture])
        fits = "c => c.width === Math.round(c.parentNode.clientWidth * devicePixelRatio)"
        page.wait_for_function(f"([c]) => ({fits})(c)", arg=[canvas.element_handle()])
        block.get_by_role("button", name="Reset").click()
        page.wait_for_function("([b]) => b.gan.values().turn === 0", arg=[handle])
        assert not wrong
        page.close()
