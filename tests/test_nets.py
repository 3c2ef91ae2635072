"""Networks: weights from a seed, shapes as asked, one function however it is computed, games that resume."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.functional import conv2d, interpolate

from gantools import nets
from gantools.nets.layers import ChannelsLast, Crop, doubling, draw

SIZES = tuple(nets.SIZES)
SMALL = {"latent": 6, "width": 4}


def normal(*shape, seed=0, dtype=torch.float32):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


# perceptrons ------------------------------------------------------------------------------------------


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


# doubling ---------------------------------------------------------------------------------------------


def doubled(layer, x, out):
    """The result, and the gradients of a random functional of it in x, weight and bias."""
    result = layer(x.requires_grad_())
    (result * normal(*out, seed=3, dtype=x.dtype)).sum().backward()
    found = [result.detach(), x.grad, *(p.grad for p in layer.parameters())]
    x.grad = None
    layer.zero_grad()
    return found


@settings(max_examples=25)
@given(st.integers(1, 6), st.integers(1, 7), st.integers(1, 5), st.integers(1, 5), st.integers(0, 99), st.booleans())
def test_folded_doubling_is_nearest_neighbours_and_a_convolution(height, width, channels, out, seed, bias):
    """Values and gradients, at the border too, against torch's own two operations."""
    with nets.seeded(seed):
        layer = nets.Doubling(channels, out, bias)
    x, shape = normal(2, channels, height, width, seed=seed), (2, out, 2 * height, 2 * width)
    folded = doubled(layer, x, shape)
    layer.folded = False
    for mine, theirs in zip(folded, doubled(layer, x, shape), strict=True):
        assert mine.shape == theirs.shape and (mine - theirs).abs().max() < 1e-5 * (1 + theirs.abs().max())
    by_hand = conv2d(interpolate(x, scale_factor=2, mode="nearest"), layer.weight, layer.bias, padding=1)
    assert torch.allclose(folded[0], by_hand, atol=1e-5)


def test_folding_is_exact_in_whole_numbers():
    """With whole numbers no sum is rounded, so that the two are one to the bit; a corner sees four pixels less."""
    layer = nets.Doubling(1, 1, bias=False)
    with torch.no_grad():
        layer.weight.copy_(torch.arange(1.0, 10).view(1, 1, 3, 3))
    x = torch.ones(1, 1, 2, 2)
    folded = layer(x)
    layer.folded = False
    assert torch.equal(folded, layer(x))
    assert folded[0, 0, 0, 0] == 5 + 6 + 8 + 9 and folded[0, 0, 1, 1] == 45


def test_folded_doubling_asks_for_fewer_operations():
    near, fold = (nets.cost(nets.Doubling(32, 16, folded=f), (32, 8, 8)).operations for f in (False, True))
    assert near == 2 * 36 * 32 * 16 * 64  # nine products at each of four pixels
    folding = 2 * 32 * 16 * 9 * 16 // 2  # once a batch, and `cost` runs two examples
    assert fold == 2 * 16 * 32 * 16 * 64 + folding


@pytest.mark.parametrize("make", [nets.dcgan_generator])
@pytest.mark.parametrize("size", SIZES)
def test_upsampling_is_a_way_to_compute(make, size):
    """A whole generator, folded and not: one set of weights, one function, one gradient."""
    folded, nearest = (make(size, **SMALL, upsample=how, seed=2) for how in ("folded", "nearest"))
    nearest.load_state_dict(folded.state_dict())
    z, look = normal(3, 6), normal(3, 1, size, size, seed=1)
    for net in (folded, nearest):
        (net(z) * look).sum().backward()
    assert torch.allclose(folded(z), nearest(z), atol=1e-5)
    for p, q in zip(folded.parameters(), nearest.parameters(), strict=True):
        assert (p.grad - q.grad).abs().max() < 1e-4 * (1 + q.grad.abs().max())


# generators and discriminators ------------------------------------------------------------------------


GENERATORS, DISCRIMINATORS = [nets.dcgan_generator], [nets.dcgan_discriminator]


@pytest.mark.parametrize("make", GENERATORS)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("norm", ["batch", None])
@pytest.mark.parametrize("upsample", nets.UPSAMPLING)
def test_generators_make_images(make, size, norm, upsample):
    net = make(size, channels=3, norm=norm, upsample=upsample, **SMALL)
    images = net(normal(5, 6))
    assert images.shape == (5, 3, size, size) and images.abs().max() <= 1
    assert images.std() > 0.05 and (images.abs() > 0.99).float().mean() < 0.1  # neither grey nor at the stops
    assert any(isinstance(m, nn.BatchNorm2d) for m in net.modules()) == (norm == "batch")


@pytest.mark.parametrize("make", DISCRIMINATORS)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("norm", ["batch", None])
def test_discriminators_score_images(make, size, norm):
    net = make(size, channels=3, width=8, norm=norm)
    scores = net(normal(64, 3, size, size))
    assert scores.shape == (64, 1) and 0.02 < scores.std() < 5
    alone = net(normal(64, 3, size, size)[:7])
    assert torch.allclose(alone, scores[:7], atol=1e-5) == (norm is None)


@pytest.mark.parametrize("make", GENERATORS)
@pytest.mark.parametrize(("size", "start", "made"), [(80, 5, 80), (80, 10, 80), (80, 11, 88), (28, 4, 32), (64, 32, 64)])
def test_the_first_map_has_the_side_that_is_asked_for(make, size, start, made):
    net, sides = make(size, start=start, **SMALL), []
    for module in net.modules():
        if isinstance(module, nets.Doubling):
            module.register_forward_hook(lambda m, x, y: sides.append((x[0].shape[-1], y.shape[-1])))
    images = net(normal(2, 6))
    assert images.shape[-2:] == (size, size)
    assert sides[0][0] == start and sides[-1][1] == made
    assert any(isinstance(m, Crop) for m in net.modules()) == (made > size)


def test_a_crop_is_about_the_centre():
    x = torch.arange(88.0).expand(1, 1, 88, 88)
    assert Crop(80)(x)[0, 0, 0].tolist() == list(range(4, 84))


@pytest.mark.parametrize("size", SIZES)
def test_convolutions_see_memory_in_their_own_order(size):
    """Every map of many channels that a convolution is given, or gives another, is channels_last."""
    seen = []
    for net in (nets.dcgan_generator(size, **SMALL), nets.dcgan_discriminator(size, 1, 4)):
        for module in net.modules():
            if isinstance(module, nn.LeakyReLU):
                module.register_forward_hook(lambda m, x, y: seen.append(y))
        net(normal(2, 6) if len(seen) == 0 else normal(2, 1, size, size))
    maps = [y for y in seen if y.ndim == 4]
    assert len(maps) >= 5 and all(y.is_contiguous(memory_format=torch.channels_last) for y in maps)
    assert torch.equal(ChannelsLast()(normal(2, 3, 4, 4)), normal(2, 3, 4, 4))


@pytest.mark.parametrize("depth", [2, 4])
@pytest.mark.parametrize("kind", ["linear", "strided", *nets.UPSAMPLING])
def test_the_first_weights_keep_the_second_moment(kind, depth):
    """E y^2 of the layers' outputs stays that of the first layer's however many follow (He et al. 2015)."""
    def layer(k):
        if kind == "linear":
            return nn.Linear(256, 256)
        if kind == "strided":
            return nn.Conv2d(64, 64, 4, stride=2, padding=1)
        return doubling(64, 64, kind)

    sides = {"linear": (256,), "strided": (64, 2 ** (depth + 2), 2 ** (depth + 2))}
    shape = sides.get(kind, (64, 32 // depth, 32 // depth))
    body = nn.Sequential(*(m for k in range(depth) for m in (layer(k), nn.LeakyReLU(0.2))))
    with nets.seeded(0), torch.no_grad():
        draw(body, last=2 / 1.04)
        x = normal(4 if kind != "linear" else 2000, *shape)
        ratio = math.sqrt(body(x).square().mean().item())
    assert 0.6 < ratio < 1.6


def test_nets_depend_on_their_seed_alone():
    for build, options in [(make, SMALL) for make in GENERATORS] + [(make, {"width": 4}) for make in DISCRIMINATORS]:
        make = lambda seed: build(28, **options, seed=seed)  # noqa: E731, B023
        torch.manual_seed(1)
        one, state = make(5), torch.get_rng_state()
        torch.manual_seed(2)
        other = make(5)
        assert all(torch.equal(p, q) for p, q in zip(one.parameters(), other.parameters(), strict=True))
        torch.manual_seed(1)
        assert torch.equal(state, torch.get_rng_state())
        assert not torch.equal(next(one.parameters()), next(make(6).parameters()))


def test_the_cost_of_a_net():
    net = nn.Sequential(nn.Conv2d(3, 5, 3, padding=1), nn.BatchNorm2d(5), nn.Flatten(), nn.Linear(5 * 16, 2))
    kept = [buffer.clone() for buffer in net.buffers()]
    assert nets.cost(net, (3, 4, 4)) == (3 * 5 * 9 + 5 + 10 + 162, 2 * (16 * 9 * 15 + 160))
    assert net.training and all(torch.equal(a, b) for a, b in zip(kept, net.buffers(), strict=True))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nets.dcgan_generator(30), "28, 32, 64, 80 pixels, not of 30"),
        (lambda: nets.dcgan_discriminator(81), "28, 32, 64, 80 pixels, not of 81"),
        (lambda: nets.dcgan_generator(28, norm="layer"), 'norm must be "batch" or None'),
        (lambda: nets.dcgan_discriminator(28, norm="layer"), 'norm must be "batch" or None'),
        (lambda: nets.dcgan_generator(28, upsample="bilinear"), "no upsampling 'bilinear'"),
        (lambda: nets.dcgan_generator(28, start=15), "start, the side of the first map, must lie in 1 to 14"),
        (lambda: nets.dcgan_generator(28, start=3.5), "start, the side of the first map"),
        (lambda: nets.dcgan_generator(28, latent=0), "latent must be a positive whole number"),
        (lambda: nets.dcgan_discriminator(28, width=-1), "width must be a positive whole number"),
    ],
)
def test_options_that_cannot_be(make, message):
    with pytest.raises(ValueError, match=message):
        make()
