"""Networks: weights from a seed, shapes as asked."""

import pytest
import torch

from gantools import nets


def test_a_nets_weights_depend_on_its_seed_alone():
    torch.manual_seed(1)
    one, state = nets.mlp([2, 8, 1], seed=5), torch.get_rng_state()
    torch.manual_seed(2)
    other = nets.mlp([2, 8, 1], seed=5)
    assert all(torch.equal(p, q) for p, q in zip(one.parameters(), other.parameters(), strict=True))
    torch.manual_seed(1)
    assert torch.equal(state, torch.get_rng_state())
    assert not torch.equal(one[1].weight, nets.mlp([2, 8, 1], seed=6)[1].weight)


def test_an_mlp_reads_and_makes_images():
    net = nets.mlp([64, 10, 12], output="tanh", shape=(3, 2, 2))
    assert net(torch.zeros(5, 1, 8, 8)).shape == (5, 3, 2, 2)
    assert net(torch.randn(5, 64) * 100).abs().max() <= 1


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nets.mlp([3]), "widths"),
        (lambda: nets.mlp([3, 0, 1]), "widths"),
        (lambda: nets.mlp([3, 1], "swish"), "no activation 'swish'"),
    ],
)
def test_bad_input_says_what_is_wrong(make, message):
    with pytest.raises(ValueError, match=message):
        make()
