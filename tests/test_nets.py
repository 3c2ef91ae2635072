"""Networks: weights from a seed, shapes as asked, one function however it is computed, games that resume."""

import importlib
import math
import re
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch._subclasses import FakeTensorMode
from torch.nn.functional import avg_pool2d, batch_norm, conv2d, interpolate, leaky_relu

from gantools import data, nets, penalties
from gantools.game import Batch, gan
from gantools.nets import precision, residual
from gantools.nets.layers import ChannelsLast, Crop, doubling, draw
from test_game import same_bits

SIZES = tuple(nets.SIZES)
SMALL = {"latent": 6, "width": 4}
GENERATORS = [nets.dcgan_generator, nets.resnet_generator]
DISCRIMINATORS = [nets.dcgan_discriminator, nets.resnet_discriminator]


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


MAPS = [*(st.integers(1, most) for most in (6, 7, 5, 5)), st.integers(0, 99), st.booleans()]  # of hypothesis

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
@given(*MAPS)
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


@settings(max_examples=25)
@given(*MAPS)
def test_folded_halving_is_a_convolution_and_a_mean(height, width, channels, out, seed, bias):
    with nets.seeded(seed):
        layer = nets.Halving(channels, out, bias)
    x, shape = normal(2, channels, 2 * height, 2 * width, seed=seed), (2, out, height, width)
    folded = doubled(layer, x, shape)
    layer.folded = False
    for mine, theirs in zip(folded, doubled(layer, x, shape), strict=True):
        assert mine.shape == theirs.shape and (mine - theirs).abs().max() < 1e-5 * (1 + theirs.abs().max())
    by_hand = avg_pool2d(conv2d(x, layer.weight, layer.bias, padding=1), 2)
    assert torch.allclose(folded[0], by_hand, atol=1e-5)


@settings(max_examples=25)
@given(*MAPS[:3], st.integers(0, 99))
def test_the_folded_last_layer_is_a_convolution(height, width, channels, seed):
    with nets.seeded(seed):
        layer = nets.Last(channels, 1)
    x, shape = normal(2, channels, height, width, seed=seed), (2, 1, height, width)
    assert layer.folded and not nets.Last(channels, 3).folded
    folded = doubled(layer, x, shape)
    layer.folded = False
    for mine, theirs in zip(folded, doubled(layer, x, shape), strict=True):
        assert mine.shape == theirs.shape and (mine - theirs).abs().max() < 1e-5 * (1 + theirs.abs().max())
    assert torch.allclose(folded[0], conv2d(x, layer.weight, layer.bias, padding=1), atol=1e-5)


def test_folding_is_exact_in_whole_numbers():
    """With whole numbers no sum is rounded, so that the two are one to the bit; a corner sees less."""
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


@pytest.mark.parametrize("make", GENERATORS)
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
@pytest.mark.parametrize(
    ("size", "start", "made"), [(80, 5, 80), (80, 10, 80), (80, 11, 88), (28, 4, 32), (64, 32, 64)]
)
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
    for net in [make(size, **SMALL) for make in GENERATORS] + [make(size, 1, 4) for make in DISCRIMINATORS]:
        for module in net.modules():
            if isinstance(module, nn.LeakyReLU):
                module.register_forward_hook(lambda m, x, y: seen.append(y))
        net(normal(2, 1, size, size) if isinstance(net[0], nn.Conv2d) else normal(2, 6))
    maps = [y for y in seen if y.ndim == 4]
    assert len(maps) >= 12 and all(y.is_contiguous(memory_format=torch.channels_last) for y in maps)
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


@pytest.mark.parametrize("norm", ["batch", None])
def test_a_residual_block_adds_to_its_input(norm):
    """Block by block against the formula: (branch(x) + shortcut(x)) / root 2, the input itself left alone."""
    x = normal(3, 4, 6, 6)
    up, down = residual.Up(4, 2, norm, "folded"), residual.Down(4, 8, norm)
    bn = (lambda y: batch_norm(y, None, None, training=True)) if norm else (lambda y: y)
    act = lambda y: leaky_relu(bn(y), 0.2)  # noqa: E731
    with torch.no_grad():
        one, two = (m for m in up.branch if isinstance(m, nn.Conv2d))
        high = conv2d(interpolate(act(x), scale_factor=2), one.weight, one.bias, padding=1)
        high = conv2d(act(high), two.weight, two.bias, padding=1)
        short = conv2d(interpolate(x, scale_factor=2), up.shortcut.weight)
        assert torch.allclose(up(x), (high + short) / math.sqrt(2), atol=1e-5)
        one, two = (m for m in down.branch if isinstance(m, nn.Conv2d))
        low = conv2d(act(x), one.weight, one.bias, padding=1)
        low = avg_pool2d(conv2d(act(low), two.weight, two.bias, padding=1), 2)
        short = avg_pool2d(conv2d(x, down.shortcut.weight), 2)
        assert torch.allclose(down(x), (low + short) / math.sqrt(2), atol=1e-5)
    assert torch.equal(x, normal(3, 4, 6, 6))


def test_nets_depend_on_their_seed_alone():
    makers = [(make, SMALL) for make in GENERATORS] + [(make, {"width": 4}) for make in DISCRIMINATORS]
    for build, options in makers:
        make = lambda seed: build(28, **options, seed=seed)  # noqa: E731, B023
        torch.manual_seed(1)
        one, state = make(5), torch.get_rng_state()
        torch.manual_seed(2)
        other = make(5)
        assert all(torch.equal(p, q) for p, q in zip(one.parameters(), other.parameters(), strict=True))
        torch.manual_seed(1)
        assert torch.equal(state, torch.get_rng_state())
        assert not torch.equal(next(one.parameters()), next(make(6).parameters()))


def test_the_table_of_costs_is_counted():
    """The tables in the modules' docstrings, in millions of operations and thousands of parameters."""
    kinds = (("dcgan", nets.convolutional), ("resnet", nets.residual))
    for kind, module in kinds:
        make = getattr(nets, f"{kind}_generator"), getattr(nets, f"{kind}_discriminator")
        for line in module.__doc__.splitlines():
            found = re.findall(r"[\d.,]+", line)
            if len(found) == 9:
                told = [float(number.replace(",", "")) for number in found]
                size, counted = int(told[0]), []
                for build, shape in zip(make, ((64,), (1, size, size)), strict=True):
                    for width in (64, 32):
                        cost = nets.cost(build(size, width=width), shape)
                        counted += [round(cost.operations / 1e6, 1), round(cost.parameters / 1e3)]
                assert told[1:] == counted
                kinds = kinds[1:] if size == 80 else kinds
    assert not kinds


def test_the_cost_of_a_net():
    net = nn.Sequential(nn.Conv2d(3, 5, 3, padding=1), nn.BatchNorm2d(5), nn.Flatten(), nn.Linear(5 * 16, 2))
    kept = [buffer.clone() for buffer in net.buffers()]
    assert nets.cost(net, (3, 4, 4)) == (3 * 5 * 9 + 5 + 10 + 162, 2 * (16 * 9 * 15 + 160))
    assert net.training and all(torch.equal(a, b) for a, b in zip(kept, net.buffers(), strict=True))


# precision --------------------------------------------------------------------------------------------


def test_precise_computes_in_bfloat16_and_answers_in_float32():
    net, x, seen = nets.dcgan_discriminator(28, width=8), normal(16, 1, 28, 28), []
    half = nets.precise(net, "bfloat16")
    net[0].register_forward_hook(lambda m, x, y: seen.append(y.dtype))
    scores, full = half(x), net(x)
    assert seen == [torch.bfloat16, torch.float32] and scores.dtype == torch.float32
    assert 0 < (scores - full).abs().max() < 0.03 * full.abs().max()
    scores.sum().backward()
    assert all(p.grad.dtype == p.dtype == torch.float32 for p in net.parameters())


def test_the_second_derivatives_of_r1_pass_through_bfloat16():
    """The penalty's gradient in the weights is that of float32, to the digits that bfloat16 has."""
    slopes = []
    for precision in ("float32", "bfloat16"):
        net = nets.precise(nets.dcgan_discriminator(28, width=8, seed=3), precision)
        penalties.r1(1.0)(net, normal(32, 1, 28, 28), None).backward()
        slopes.append(torch.cat([p.grad.flatten() for p in net.parameters() if p.grad is not None]))
    assert slopes[0].norm() > 0 and (slopes[0] - slopes[1]).norm() < 0.05 * slopes[0].norm()


@pytest.mark.parametrize("able", [True, False])
def test_auto_takes_what_the_device_is_quick_at(able, monkeypatch):
    monkeypatch.setattr(precision, "quick", lambda device: able)
    net, seen = nets.dcgan_generator(28, **SMALL), []
    net[0].register_forward_hook(lambda m, x, y: seen.append(y.dtype))
    assert nets.precise(net, "auto")(normal(2, 6)).dtype == torch.float32
    assert seen == [torch.bfloat16 if able else torch.float32]
    assert nets.precise(net) is net


def test_the_processor_is_asked_what_it_has(monkeypatch):
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: False)
    for able in (True, False):
        precision.quick.cache_clear()
        monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: able)  # noqa: B023
        assert precision.quick("cpu") == able
    assert not precision.quick("mps")
    precision.quick.cache_clear()


# games ------------------------------------------------------------------------------------------------


def images(size, channels=1, n=40):
    pixels = torch.randint(256, (n, channels, size, size), generator=torch.Generator().manual_seed(0))
    return data.ImageSet(pixels.to(torch.uint8), torch.zeros(n, dtype=torch.int64), ("none",), "random")


def play(kind, size, *, bf16=False, spectral=False, norm="batch", upsample="folded", **options):
    """A small game; its discriminator has no batch norm, so that R1 has a meaning."""
    generator, discriminator = {
        "dcgan": (nets.dcgan_generator, nets.dcgan_discriminator),
        "resnet": (nets.resnet_generator, nets.resnet_discriminator),
    }[kind]
    pair = generator(size, **SMALL, norm=norm, upsample=upsample), discriminator(size, width=4, seed=1)
    if spectral:
        penalties.spectral(pair[1])
    if bf16:
        pair = [nets.precise(net, "bfloat16") for net in pair]
    options = {"latent": 6, "batch_size": 5, "device": "cpu", "seed": 3, "lr": 2e-3} | options
    return gan(*pair, images(size), **options)


RICH = {"penalty": penalties.r1(0.3), "ema": 0.9}
GAMES = {
    "dcgan 28": lambda **o: play("dcgan", 28, **RICH | o),
    "dcgan 80": lambda **o: play("dcgan", 80, **RICH | o),
    "resnet 32": lambda **o: play("resnet", 32, **RICH | o),
    "spectral": lambda **o: play("dcgan", 32, **{"spectral": True, "loss": "hinge", "ema": 0.9} | o),
    "bfloat16": lambda **o: play("dcgan", 28, bf16=True, **RICH | o),
    "transposed": lambda **o: play("dcgan", 64, upsample="transposed", norm=None, **RICH | o),
}


@pytest.mark.parametrize("name", GAMES)
def test_a_game_with_them_resumes_to_the_bit(tmp_path, name):
    """Weights, batch statistics, power iterations, averages and Adam's moments, through the file."""
    whole, half, resumed = (GAMES[name]() for _ in range(3))
    whole.run(3), half.run(2)
    half.save(tmp_path / "half.safetensors")
    resumed.load(tmp_path / "half.safetensors")
    resumed.run(1)
    assert same_bits(whole.state(), resumed.state())
    assert torch.equal(whole.sample(4), resumed.sample(4))
    whole.run(1)
    assert not same_bits(whole.state(), resumed.state())


@pytest.mark.parametrize("kind", ["dcgan", "resnet"])
def test_the_average_of_a_generator_with_batch_norm(kind):
    """Weights and batch statistics are averaged, the matrices that fold stay, and samples use it."""
    game = play(kind, 28, ema=0.5)
    player, texts = game.player("generator"), []
    for _ in range(3):
        game.turn()
        texts.append({k: v.detach().clone() for k, v in player.nets.state_dict().items()})
    average = player.average.module
    kept = average.state_dict()
    assert any("running_var" in name for name in kept)
    for name, value in kept.items():
        if value.is_floating_point():
            expected = texts[0][name] / 4 + texts[1][name] / 4 + texts[2][name] / 2
            assert torch.allclose(value, expected, atol=1e-6), name
    both = zip(average.modules(), player.nets.modules(), strict=True)
    folds = [(m.fold, n.fold) for m, n in both if hasattr(m, "fold")]
    assert folds and all(torch.equal(m, n) and m is not n for m, n in folds)
    z = torch.randn(4, 6, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert torch.equal(game.sample(4), average(z))


def test_spectral_norms_are_one_on_folded_layers_too():
    """The parametrisation is that of the 3 x 3 weight, (out, rest), whichever way the layer is computed."""
    net = penalties.spectral(nets.resnet_discriminator(28, width=4))
    for _ in range(100):
        net(normal(2, 1, 28, 28))
    net.eval()
    layers = [m for m in net.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    assert any(isinstance(m, nets.Halving) for m in layers)
    for layer in layers:
        assert torch.linalg.matrix_norm(layer.weight.flatten(1), 2).item() == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("name", sorted(set(GAMES) - {"bfloat16"}))
def test_every_loss_evaluates_on_cuda(name, monkeypatch):
    """Under fake tensors, where a tensor left on the processor raises; autograd's part is mimed."""
    monkeypatch.setattr(torch.autograd, "grad", lambda y, x, create_graph: (x * y,))
    with FakeTensorMode(allow_non_fake_inputs=True), torch.device("cuda"):
        game = GAMES[name](device="cuda", ema=None)
        for player in game.players:
            game._let_move(player)
            batch = Batch(game.data, game.batch_size, None, game.device)
            assert player.loss(batch).device == torch.device("cuda", 0)


@pytest.mark.parametrize("kind", ["dcgan", "resnet"])
def test_a_turn_runs_where_no_number_can_be_read(kind):
    with torch.device("meta"):
        game = play(kind, 32, device="meta", optimizer=lambda lr: lambda p: torch.optim.SGD(p, lr))
        game.lag = 10**9
        game.rng = None
        turn = game.turn()
    assert all(loss.device.type == "meta" for loss in turn.losses.values())


# options ----------------------------------------------------------------------------------------------


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
        (lambda: nets.resnet_generator(28, channels=0), "channels must be a positive whole number"),
        (lambda: nets.resnet_discriminator(28, norm="none"), 'norm must be "batch" or None'),
        (lambda: nets.resnet_generator(96), "28, 32, 64, 80 pixels, not of 96"),
        (lambda: nets.precise(nets.mlp([2, 1]), "half"), "no precision 'half'"),
        (lambda: nets.dcgan_discriminator(28, width=-1), "width must be a positive whole number"),
    ],
)
def test_options_that_cannot_be(make, message):
    with pytest.raises(ValueError, match=message):
        make()


# the loops everybody writes ---------------------------------------------------------------------------


@pytest.fixture
def by_hand(monkeypatch):
    """The benchmarks of that name, at batches of 8."""
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "benchmarks"))

    def load(*names):
        for module in map(importlib.import_module, names):
            monkeypatch.setattr(module, "BATCH", 8)
            yield module

    return load


def in_turn(images, size, rng, draw):
    """Batches for a loop by hand, drawn in the order in which the game draws: noise, then data."""
    drawn = []

    def batches():
        while True:
            drawn.append(draw(rng))
            yield (images.sample(size, rng),)

    return batches(), lambda: drawn[-1]


def keeps_pace(loop, game, theirs, mine, fresh, given, turns=2):
    """Play both, dropout alike, and compare what the nets do: a bias before batch norm does nothing, and Adam
    moves it by rounding.  The sides may differ by 2 % of the way they came."""
    for number in range(turns):
        for step in (lambda: next(loop), game.turn):
            torch.manual_seed(number)  # dropout draws from the global state
            step()
    for net in (*theirs, *mine, *fresh):
        for module in net.modules():
            module.train(not isinstance(module, nn.Dropout2d))
    with torch.no_grad():
        for there, here, before, x in zip(theirs, mine, fresh, given, strict=True):
            a, b, c = (torch.cat(y, 1) if isinstance(y, tuple) else y for y in (there(x), here(x), before(x)))
            assert (a - b).abs().max() < 0.02 * (a - c).abs().max()


def test_the_benchmarks_dcgans_are_one(by_hand):
    (dcgan,) = by_hand("dcgan")
    theirs, mine, fresh = (dcgan.pair(side) for side in (False, True, False))
    images, rng = dcgan.pictures(30), torch.Generator().manual_seed(5)
    batches, latent = in_turn(images, 8, rng, lambda rng: torch.randn(8, dcgan.LATENT, generator=rng))
    loop = dcgan.everybody(*theirs, batches, latent, report=lambda line: None)
    given = torch.randn(8, dcgan.LATENT), images.sample(8)
    keeps_pace(loop, dcgan.ours(*mine, images, seed=5), theirs, mine, fresh, given)


def test_the_benchmarks_infogans_are_one(by_hand):
    dcgan, infogan = by_hand("dcgan", "infogan")
    theirs, mine, fresh = (infogan.pair(side) for side in (False, True, False))
    images, rng = dcgan.pictures(30), torch.Generator().manual_seed(5)

    def draw(rng):
        return torch.randn(8, infogan.LATENT, generator=rng), infogan.CODES.draw(8, rng)

    batches, drawn = in_turn(images, 8, rng, draw)
    loop = infogan.paper(*theirs, batches, drawn, report=lambda line: None)
    given = torch.randn(8, infogan.LATENT + infogan.CODES.width), images.sample(8)
    keeps_pace(loop, infogan.ours(*mine, images, seed=5), theirs, mine, fresh, given)


def test_the_benchmarks_script_plays_infogan(by_hand):
    """Three steps a turn: all nets move, and the codes' loss falls when one batch is played over and over."""
    dcgan, infogan = by_hand("dcgan", "infogan")
    pair, lines = infogan.pair(ours=False), []
    numbers = [p for net in pair for p in net.parameters()]
    before = [p.detach().clone() for p in numbers]
    real, drawn = dcgan.pictures(8).sample(8), (torch.randn(8, infogan.LATENT), infogan.CODES.draw(8))
    loop = infogan.script(*pair, iter([(real,)] * 8), lambda: drawn, lines.append)
    for _ in loop:
        pass
    assert len(lines) == 8 and "info loss" in lines[0]
    assert all((p != q).any() for p, q in zip(before, numbers, strict=True))
    told = [float(line.split("info loss: ")[1].rstrip("]")) for line in lines]
    assert sum(told[-2:]) < sum(told[:2])
