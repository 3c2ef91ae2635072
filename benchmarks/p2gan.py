"""Many generators in one batch against a loop over as many modules: ratios from interleaved runs.

    python benchmarks/p2gan.py [--pairs 7] [--threads N]

Both sides play the same mathematics: the pooled reading of P2GAN on a ring of eight, K generators
256-128-128-2 that share all but the first layer, one pull discriminator 2-128-1 and K (K - 1) / 2 push
discriminators that share all but their last layer; one draw of latents for all generators; Adam at 1e-3.  That
turns of both move the parameters alike is held by tests/test_p2gan_games.py.  "The loop" asks one module after
another: K generators that hold the same trunk, a discriminator for every force, each with its own
term of the loss, PyTorch's default Adam, `.item()` on each loss.

    loop      K = 8 and K = 16 against that loop, 32 examples a generator
    growth    the game with K = 2 to 16 against itself with K = 1 at the same total batch of 512

Measured on two quiet cores of an AMD EPYC, torch 2.14.1, one thread, medians (least and greatest) of five pairs:
K = 8 costs 1.19 (1.09 to 1.42) times K = 1, K = 16 1.71 (1.32 to 1.80) times; the loop costs 5.9 (4.3 to 7.0)
times the game at K = 8 and 9.1 (7.8 to 14.2) times at K = 16.
"""

import argparse
import statistics
import time
from itertools import combinations

import torch
from loop import compare
from torch import nn
from torch.nn.functional import softplus

from gantools import p2gan

ALPHA, TOTAL = 0.3, 512


def ours(k, batch, seed=0):
    """All generators from the first turn on."""
    return p2gan.modes_game("pooled", k, ALPHA, every=0, batch_size=batch, seed=seed)


def one_by_one(k, batch, seed=0):
    """The same players as separate modules that hold the same trunks; one turn at each step."""
    rules = ours(k, batch, seed).rules
    generators = [nn.Sequential(first, rules.generators.trunk) for first in rules.generators.firsts]
    pull = nn.Sequential(rules.pulls.trunk, rules.pulls.heads)
    heads = [nn.Linear(128, 1) for _ in range(k * (k - 1) // 2)]
    for h, head in enumerate(heads):
        head.weight.data, head.bias.data = rules.pushes.heads.weight.data[h : h + 1], rules.pushes.heads.bias.data[h : h + 1]
    pairs = sorted(combinations(range(k), 2), key=lambda pair: pair[::-1])  # (source, target), as `pooled` has them
    push = {pair: nn.Sequential(rules.pushes.trunk, head) for pair, head in zip(pairs, heads, strict=True)}
    judges = nn.ModuleList([pull, *push.values()])
    optimizer_d = torch.optim.Adam(judges.parameters(), lr=1e-3, betas=(0.5, 0.999))
    optimizer_g = torch.optim.Adam(nn.ModuleList(generators).parameters(), lr=1e-3, betas=(0.5, 0.999))
    rng = torch.Generator().manual_seed(seed)
    history = []
    while True:
        optimizer_d.zero_grad()
        z = torch.randn(batch, 256, generator=rng)
        real = p2gan.RING.sample(batch, rng)
        fakes = [generator(z).detach() for generator in generators]
        loss_d = softplus(-pull(real)).mean() + sum(softplus(pull(fake)).mean() for fake in fakes) / k
        for (i, j), judge in push.items():
            loss_d = loss_d + softplus(-judge(fakes[i])).mean() + softplus(judge(fakes[j])).mean()
        loss_d = loss_d / (1 + len(push))
        loss_d.backward()
        optimizer_d.step()
        optimizer_g.zero_grad()
        z = torch.randn(batch, 256, generator=rng)
        loss_g = 0.0
        for j, generator in enumerate(generators):
            fake = generator(z)
            loss_g = loss_g + softplus(-pull(fake)).mean()
            for i in range(j):
                loss_g = loss_g + ALPHA / j * softplus(push[i, j](fake)).mean()
        loss_g = loss_g / k
        loss_g.backward()
        optimizer_g.step()
        history.append((loss_d.item(), loss_g.item()))
        yield generators


def growth(ks, pairs, turns=20):
    """Milliseconds a turn for K generators at one total batch, and the ratio to K = 1, interleaved."""
    games = {k: ours(k, TOTAL // k).turns(10**9) for k in (1, *ks)}
    seconds = {k: [] for k in games}
    for pair in range(pairs + 1):
        for k, turn in games.items():
            start = time.perf_counter()
            for _ in range(turns):
                next(turn)
            if pair:  # the first only warms up
                seconds[k].append((time.perf_counter() - start) / turns)
    for k, times in seconds.items():
        ratios = sorted(a / b for a, b in zip(times, seconds[1], strict=True))
        print(f"growth  K = {k:2d}: {1e3 * statistics.median(times):6.2f} ms a turn, {statistics.median(ratios):.2f} times "
              f"K = 1 (from {ratios[0]:.2f} to {ratios[-1]:.2f} over {pairs} pairs)")  # fmt: skip


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads")
    growth((2, 4, 8, 16), arguments.pairs)
    for k in (8, 16):
        compare(f"K = {k:2d}", one_by_one(k, 32), ours(k, 32).turns(10**9), 10, arguments.pairs)
