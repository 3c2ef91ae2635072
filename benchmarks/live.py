"""How lively is Live?  Frames a second, answers to a click on pause and memory, in a real JupyterLab.

    python benchmarks/live.py [--minutes 1] [--pauses 20] [--threads 1]

Wants Chromium (or $CHROMIUM) and the extras `labs` and `test`.
"""

import argparse
import os
import shutil
import sys
import time
from pathlib import Path
from statistics import median

import psutil
from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from lab import lab, run_all  # noqa: E402

CELL = """\
import os, torch
from gantools import data, nets
from gantools.game import gan
from gantools.widgets import Live
torch.set_num_threads({threads})
players = nets.mlp([2, 128, 128, 2]), nets.mlp([2, 128, 128, 1], seed=1)
live = Live(gan(*players, data.ring(8), batch_size=256, device="cpu"), title="process %d" % os.getpid())
live"""

# Press pause while it trains; resolves with the ms until the widget says that it stands still.
PAUSE = """block => new Promise(done => {
    const button = block.querySelector(".gan-bar button");
    const began = performance.now();
    const look = () => block.gan.values().playing ? setTimeout(look, 1) : done(performance.now() - began);
    button.click();
    look();
})"""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=1)
    parser.add_argument("--pauses", type=int, default=20)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    with lab(CELL.format(threads=options.threads)) as address, sync_playwright() as playwright:
        program = os.environ.get("CHROMIUM") or shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        run_all(page, address)
        block = page.locator(".gan-arena").element_handle(timeout=90_000)
        kernel = psutil.Process(int(page.locator(".gan-title").inner_text().split()[1]))
        values = lambda: block.evaluate("b => b.gan.values()")
        click = lambda: block.evaluate("b => b.querySelector('.gan-bar button').click()")

        waits = []
        for _ in range(options.pauses):
            click()
            page.wait_for_timeout(400)
            assert values()["playing"]
            waits.append(block.evaluate(PAUSE))
        print(f"pause answered in ms: median {median(waits):.0f}, worst {max(waits):.0f} of {len(waits)}")

        click()
        page.wait_for_timeout(1000)
        memory(page, kernel)  # the first look collects what the start left behind
        begun = time.monotonic()
        while time.monotonic() - begun < 60 * options.minutes:
            before, since = values(), time.monotonic()
            page.wait_for_timeout(1000 * min(60, 60 * options.minutes))
            after, passed = values(), time.monotonic() - since
            rates = [(after[key] - before[key]) / passed for key in ("drawn", "turn")]
            page_mb, kernel_mb = memory(page, kernel)
            minutes = (time.monotonic() - begun) / 60
            print(
                f"{minutes:5.1f} min: {rates[0]:4.1f} frames/s, {rates[1]:5.0f} turns/s, "
                f"page {page_mb:.1f} MB, kernel {kernel_mb:.0f} MB",
                flush=True,
            )
        browser.close()


def memory(page, kernel):
    """Megabytes that the page's scripts hold after a collection, and that the kernel has resident."""
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    session.send("Performance.enable")
    metrics = {m["name"]: m["value"] for m in session.send("Performance.getMetrics")["metrics"]}
    session.detach()
    return metrics["JSHeapUsedSize"] / 2**20, kernel.memory_info().rss / 2**20


if __name__ == "__main__":
    main()
