"""How far two laws are apart at least, in nats, as a classifier sees it."""

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import logsigmoid, softplus

from gantools import nets

__all__ = ["Judged", "jsd_bound"]

BATCH = 128


class Judged(NamedTuple):
    """A lower bound on the JSD of two laws, in nats, from held-out samples, with its standard error."""

    bound: float
    error: float
    accuracy: float  # of telling them apart, at even odds
    score: Callable[[Tensor], Tensor]  # x -> (n,), above 0 where x looks like the first law's


def jsd_bound(p: Tensor, q: Tensor, seed: int = 0, turns: int = 600, width: int = 256) -> Judged:
    """How far the laws of the samples p and q, both (n, ...), are apart at least, as a classifier sees it.

    For every D in (0, 1), JSD >= [E_p log D + E_q log(1 - D) + log 4] / 2, with means over new samples.
    A perceptron of one hidden layer learns D on half of either; of the ten checkpoints on its way a further
    sixth takes the best; the last third gives the bound. Of images it is also shown how far neighbouring
    pixels are apart. A value slightly below 0 means that nothing was learned.
    Raises ValueError for fewer than 60 samples or different shapes.  (MATH J)
    """
    if min(len(p), len(q)) < 60 or p.shape[1:] != q.shape[1:]:
        shapes = f"{tuple(p.shape)} and {tuple(q.shape)}"
        raise ValueError(f"samples must be alike, 60 or more of each, not {shapes}")
    p, q = p.detach().cpu(), q.detach().cpu()
    mixed = [x[torch.randperm(len(x), generator=torch.Generator().manual_seed(seed))] for x in (p, q)]
    learn, choose, test = zip(*(x.tensor_split([len(x) // 2, 2 * len(x) // 3]) for x in mixed), strict=True)
    features = _Features()
    net = nn.Sequential(features, nets.mlp([features(p[:1]).shape[1], width, 1], "leaky_relu", seed=seed))
    optimizer = torch.optim.Adam(net.parameters(), 1e-3, betas=(0.9, 0.999), fused=True)
    rng = torch.Generator().manual_seed(seed)
    best, kept = -math.inf, net.state_dict()
    for _ in range(10):
        _learn(net, optimizer, learn, rng, max(1, turns // 10))
        if (reached := _bound(net, *choose).bound) > best:
            best, kept = reached, {name: value.clone() for name, value in net.state_dict().items()}
    net.load_state_dict(kept)
    return _bound(net, *test)


class _Features(nn.Module):
    """(n, ...) -> (n, k): the numbers; of images also the distances of pixels below and beside each other."""

    def forward(self, x: Tensor) -> Tensor:
        if x.ndim < 4:
            return x.flatten(1)
        apart = x.diff(dim=-2).abs(), x.diff(dim=-1).abs()
        return torch.cat([each.flatten(1) for each in (x, *apart)], dim=1)


def _learn(net: nn.Module, optimizer, samples: tuple[Tensor, ...], rng: torch.Generator, turns: int) -> None:
    """So many steps on batches of either side, to tell the first from the second."""
    for _ in range(turns):
        p, q = (x[torch.randint(len(x), (BATCH,), generator=rng)] for x in samples)
        loss = softplus(-net(p)).mean() + softplus(net(q)).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def _bound(net: nn.Module, p: Tensor, q: Tensor) -> Judged:
    """From samples that the net did not learn from."""

    def score(x: Tensor) -> Tensor:
        with torch.no_grad():
            return net(x.cpu()).flatten()

    scores = score(p).double(), score(q).double()
    terms = logsigmoid(scores[0]), logsigmoid(-scores[1])
    bound = math.log(2) + sum(float(term.mean()) for term in terms) / 2
    error = math.sqrt(sum(float(term.var()) / len(term) for term in terms)) / 2
    right = (scores[0] > 0).double().mean() + (scores[1] < 0).double().mean()
    return Judged(bound, error, float(right / 2), score)
