"""Penalties and constraints against closed forms."""

import pytest
import torch

from gantools import nets, penalties


def test_r1_of_a_linear_and_of_a_quadratic_score():
    """gamma/2 |w|^2 for w.x + b, exactly; gamma/2 E|2x|^2 = 2 gamma d for |x|^2 on N(0, I_d)."""
    linear = nets.mlp([3, 1], seed=1)
    x = torch.randn(200_000, 3, generator=torch.Generator().manual_seed(0))
    assert penalties.r1(10.0)(linear, x, x).item() == pytest.approx(5 * linear[1].weight.square().sum().item(), rel=1e-5)
    assert penalties.r1(1.0)(lambda v: v.square().sum(1), x, x).item() == pytest.approx(6, rel=0.02)


def test_r1_trains():
    linear = nets.mlp([3, 1], seed=1)
    penalties.r1(1.0)(linear, torch.randn(8, 3), None).backward()
    assert torch.allclose(linear[1].weight.grad, linear[1].weight, atol=1e-6)


def test_clipping_clips():
    class Player:
        parameters = [torch.tensor([3.0, -0.2, -7.0])]

    penalties.clip(0.5)(Player)
    assert torch.equal(Player.parameters[0], torch.tensor([0.5, -0.2, -0.5]))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: penalties.clip(0.0), "positive"),
        (lambda: penalties.r1(-1.0), "negative"),
    ],
)
def test_bad_input_says_what_is_wrong(make, message):
    with pytest.raises(ValueError, match=message):
        make()
