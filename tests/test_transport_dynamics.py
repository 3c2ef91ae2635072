"""The Dirac-GAN against automatic differentiation, finite differences, integrators of others and the Game."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize, stats
from scipy.integrate import solve_ivp
from answers import judged

from gantools import data, figures, losses, metrics, nets, penalties, transport
from gantools.exercises import transport as ex
from gantools.transport import DIRAC_LOSSES, DiracGAN

GAMES = [
    DiracGAN(loss, method, strength)
    for loss in DIRAC_LOSSES
    for method, strength in [
        ("none", 0.0), ("clip", 0.4), ("gp", 0.3), ("r1", 0.7), ("noise", 0.8), ("consensus", 0.6)
    ]
]  # fmt: skip
SMOOTH = [game for game in GAMES if game.method != "gp"]
POINTS = [(0.7, -1.1), (-1.3, 0.4), (1.2, 0.9), (-0.3, -0.2), (2.0, 1.5)]
INSIDE = [game for game in SMOOTH if game.method != "clip"]


def name(game):
    return f"{game.loss}-{game.method}"


every = pytest.mark.parametrize("game", GAMES, ids=name)
smooth = pytest.mark.parametrize("game", SMOOTH, ids=name)


def wasserstein(method="none", strength=0.0):
    return DiracGAN("wasserstein", method, strength)


def radius(path):
    return np.linalg.norm(path, axis=-1)


# ---- fields -----------------------------------------------------------------------------------------------


def slopes(game, theta, psi):
    """Both players' steepest descents from the printed losses, by automatic differentiation."""
    theta, psi = (torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (theta, psi))
    spread = game.strength if game.method == "noise" else 0.0
    n = 100_001 if spread else 1  # equally likely quantiles of the noise
    xi = torch.tensor(stats.norm.ppf((np.arange(n) + 0.5) / n))[:, None]
    real, fake = spread * xi, theta + spread * xi

    def critic_at(x):
        return psi * x

    loss = losses.get(game.loss)
    first, second = loss.generator(critic_at(fake)), loss.discriminator(critic_at(real), critic_at(fake))
    if game.method in ("gp", "r1"):
        make = {"gp": penalties.gradient, "r1": penalties.r1}[game.method]
        second = second + make(game.strength)(critic_at, real, fake)
    if game.method == "consensus":
        (a,) = torch.autograd.grad(first, theta, create_graph=True)
        (b,) = torch.autograd.grad(second, psi, create_graph=True)
        extra = game.strength / 2 * (a**2 + b**2)
        first, second = first + extra, second + extra
    down = torch.autograd.grad(first, theta, retain_graph=True)[0], torch.autograd.grad(second, psi)[0]
    return [-v.item() for v in down]


@every
@pytest.mark.parametrize("x", POINTS)
def test_the_field_is_the_descent_of_the_printed_losses(game, x):
    tolerance = 1e-4 if game.method == "noise" else 1e-12  # the tails of the quantiles
    assert game.field(x) == pytest.approx(slopes(game, *x), abs=tolerance)


@every
def test_fields_take_arrays(game):
    grid = np.array(POINTS).reshape(5, 1, 2)
    assert game.field(grid).shape == (5, 1, 2)
    for k, x in enumerate(POINTS):
        assert game.field(grid)[k, 0] == pytest.approx(game.field(x), abs=1e-14)
    assert game.field(POINTS[0])[0] == game.generator(*POINTS[0])
    assert game.field(POINTS[0])[1] == game.discriminator(*POINTS[0])


def test_noise_is_a_penalty_on_the_slope():
    """Stein: E xi f(xi) = E f'(xi).  In expectation instance noise acts as R1 does, at its own weight."""
    tau, theta, psi = 0.8, 0.7, -1.1
    x = np.linspace(-9, 9, 4001)
    weight = stats.norm.pdf(x) * (x[1] - x[0])
    expit = lambda a: 1 / (1 + np.exp(-a))
    bend = lambda a: (expit(a) * expit(-a)) @ weight
    gamma = tau**2 * (bend(psi * (theta + tau * x)) + bend(psi * tau * x))
    expected = -theta * (expit(psi * (theta + tau * x)) @ weight) - gamma * psi
    assert DiracGAN("minimax", "noise", tau).discriminator(theta, psi) == pytest.approx(expected, abs=1e-10)
    for p in POINTS:  # a linear loss does not notice noise of mean zero
        assert wasserstein("noise", 2.0).field(p) == pytest.approx(wasserstein().field(p), abs=1e-12)


# ---- the equilibrium --------------------------------------------------------------------------------------


@smooth
def test_the_jacobian_is_that_of_finite_differences(game):
    e, h = np.eye(2), 1e-5
    numeric = np.stack([(game.field(h * e[k]) - game.field(-h * e[k])) / (2 * h) for k in (0, 1)], 1)
    assert game.field([0.0, 0.0]) == pytest.approx([0, 0], abs=1e-15)
    assert game.jacobian() == pytest.approx(numeric, abs=1e-9)
    found = sorted(game.eigenvalues(), key=lambda z: (z.imag, z.real))
    expected = sorted(np.linalg.eigvals(numeric), key=lambda z: (z.imag, z.real))
    assert np.array(found) == pytest.approx(np.array(expected), abs=1e-6)


@pytest.mark.parametrize("game, expected", [
    (DiracGAN("minimax"), [0.5j, -0.5j]),
    (DiracGAN("nonsaturating"), [0.5j, -0.5j]),
    (wasserstein(), [1j, -1j]),
    (wasserstein("clip", 0.1), [1j, -1j]),
    (wasserstein("r1", 1.2), [-0.6 + 0.8j, -0.6 - 0.8j]),
    (wasserstein("r1", 2.5), [-0.5, -2]),
    (DiracGAN("minimax", "r1", 1.0), [-0.5, -0.5]),
    (DiracGAN("nonsaturating", "noise", math.sqrt(1.2)), [-0.3 + 0.4j, -0.3 - 0.4j]),
    (wasserstein("noise", 3.0), [1j, -1j]),
    (wasserstein("consensus", 0.4), [-0.4 + 1j, -0.4 - 1j]),
    (DiracGAN("minimax", "consensus", 0.4), [-0.1 + 0.5j, -0.1 - 0.5j]),
])  # fmt: skip
def test_eigenvalues_by_hand(game, expected):
    assert game.eigenvalues() == pytest.approx(np.array(expected, complex), abs=1e-7)


@pytest.mark.parametrize("loss", DIRAC_LOSSES)
def test_critical_damping_is_the_best_r1(loss):
    c = DiracGAN(loss).turning

    def slowest(gamma):
        return DiracGAN(loss, "r1", gamma).eigenvalues().real.max()

    best = optimize.minimize_scalar(slowest, bounds=(0.01, 8), method="bounded", options={"xatol": 1e-10})
    assert (best.x, best.fun) == pytest.approx((2 * c, -c), abs=1e-4)
    for h in (0.05, 0.4):  # and so it is for simultaneous steps
        grid = np.linspace(0.01, 4, 400)
        radii = [transport.spectral_radius(DiracGAN(loss, "r1", gamma), h) for gamma in grid]
        assert grid[np.argmin(radii)] == pytest.approx(2 * c, abs=0.011)
        assert transport.spectral_radius(DiracGAN(loss, "r1", 2 * c), h) == pytest.approx(1 - h * c, abs=1e-9)


# ---- what a turn does to small deviations -----------------------------------------------------------------


@smooth
@pytest.mark.parametrize("alternating, steps", [(False, 1), (True, 1), (True, 3)])
def test_the_update_matrix_is_the_derivative_of_a_turn(game, alternating, steps):
    d = 1e-5

    def turn(x):
        return transport.trajectory(game, x, 0.3, 1, alternating, steps)[1]

    numeric = np.stack([(turn(d * e) - turn(-d * e)) / (2 * d) for e in np.eye(2)], 1)
    matrix = transport.update_matrix(game, 0.3, alternating, steps)
    assert matrix == pytest.approx(numeric, abs=1e-9)
    expected = np.abs(np.linalg.eigvals(matrix)).max()
    assert transport.spectral_radius(game, 0.3, alternating, steps) == pytest.approx(expected, abs=1e-7)


@given(st.floats(0.01, 3), st.sampled_from(DIRAC_LOSSES), st.floats(0, 4))
def test_simultaneous_steps_multiply_by_one_plus_h_lambda(h, loss, gamma):
    game = DiracGAN(loss, "r1", gamma)
    expected = np.abs(1 + h * np.linalg.eigvals(game.jacobian())).max()
    assert transport.spectral_radius(game, h) == pytest.approx(expected, abs=1e-6)
    c = game.turning
    if gamma < 2 * c:
        square = transport.spectral_radius(game, h) ** 2
        assert square == pytest.approx(1 - h * gamma + (h * c) ** 2, abs=1e-9)


@pytest.mark.parametrize("loss", DIRAC_LOSSES)
@pytest.mark.parametrize("steps", [1, 2, 5])
def test_turns_keep_to_the_unit_circle_below_a_step_size(loss, steps):
    game = DiracGAN(loss)
    border = 2 / (game.turning * math.sqrt(steps))
    for h in np.linspace(0.02, 0.999, 30) * border:
        values = np.linalg.eigvals(transport.update_matrix(game, h, True, steps))
        assert np.abs(values) == pytest.approx(np.ones(2), abs=1e-9)
        assert transport.verdict(game, h, True, steps) == "undecided"
        assert transport.verdict(game, h) == "repels"
    assert transport.verdict(game, 1.01 * border, True, steps) == "repels"


@pytest.mark.parametrize("steps", [1, 4])
def test_r1_shrinks_turns_by_the_determinant(steps):
    h, gamma = 0.2, 0.9
    matrix = transport.update_matrix(wasserstein("r1", gamma), h, True, steps)
    assert np.linalg.det(matrix) == pytest.approx((1 - h * gamma) ** steps, abs=1e-12)
    found = transport.spectral_radius(wasserstein("r1", gamma), h, True, steps)
    assert found == pytest.approx((1 - h * gamma) ** (steps / 2), abs=1e-12)


@pytest.mark.parametrize("game, border", [
    (wasserstein("r1", 0.5), 0.5),  # gamma / c^2
    (DiracGAN("minimax", "r1", 0.5), 2.0),
    (wasserstein("r1", 2.5), 1.0),  # (gamma - sqrt(gamma^2 - 4 c^2)) / c^2: 2 over the faster eigenvalue
    (wasserstein("consensus", 0.5), 0.8),  # 2 s / (1 + s^2 c^2)
    (DiracGAN("nonsaturating", "consensus", 2.0), 2.0),
    (DiracGAN("minimax", "noise", 1.0), 2.0),
])  # fmt: skip
def test_simultaneous_steps_attract_below_their_border_only(game, border):
    assert transport.verdict(game, 0.99 * border) == "attracts"
    assert transport.verdict(game, 1.01 * border) == "repels"


@pytest.mark.parametrize("alternating, steps", [(False, 1), (True, 1), (True, 2)])
@pytest.mark.parametrize("game", [g for g in SMOOTH if g.eigenvalues().real.max() < -1e-9], ids=name)
def test_runs_shrink_at_the_rate_of_the_spectral_radius(game, alternating, steps):
    path = transport.trajectory(game, [0.05, 0.02], 0.2, 400, alternating, steps)
    expected = transport.spectral_radius(game, 0.2, alternating, steps)
    r = radius(path)
    tail = np.flatnonzero(r > 1e-14)[-1]
    slope = np.polyfit(np.arange(tail // 3, tail), np.log(r[tail // 3 : tail]), 1)[0]
    assert math.exp(slope) == pytest.approx(expected, abs=4e-3)
    assert r[-1] < 1e-3 * r[0]


# ---- runs -------------------------------------------------------------------------------------------------


@every
@pytest.mark.parametrize("steps", [1, 3])
def test_alternating_runs_are_what_the_game_plays(game, steps):
    if game.method == "noise":
        game = DiracGAN(game.loss, "noise", 0.0)  # a random game: its mean is held by the test below
    played = transport.dirac_game(game, (0.9, -0.6), 0.1, steps)
    path = transport.trajectory(game, (0.9, -0.6), 0.1, 60, True, steps)
    for turn in played.turns(60):
        at = played.rules.generator.theta.item(), played.rules.discriminator.psi.item()
        assert at == pytest.approx(path[turn.number], abs=1e-12)


def test_a_noisy_game_steps_along_the_field_on_average():
    game = DiracGAN("minimax", "noise", 0.8)
    played = transport.dirac_game(game, (0.9, -0.6), 0.1, batch_size=400_000)
    played.run(3)
    at = played.rules.generator.theta.item(), played.rules.discriminator.psi.item()
    assert at == pytest.approx(transport.trajectory(game, (0.9, -0.6), 0.1, 3, True)[-1], abs=1e-3)


def reference(game, start, time):
    """The flow by a method that is not ours."""
    run = solve_ivp(lambda t, x: game.field(x), (0, time), start, method="DOP853", rtol=1e-11, atol=1e-13)
    return run.y.T


@pytest.mark.parametrize("game", INSIDE, ids=name)
def test_the_flow_is_that_of_another_integrator(game):
    assert transport.flow(game, (1.0, 0.5), 6.0, 600)[-1] == pytest.approx(
        reference(game, (1.0, 0.5), 6.0)[-1], abs=1e-7
    )


@pytest.mark.parametrize("loss", ["minimax", "wasserstein"])
def test_two_games_conserve_the_distance(loss):
    r = radius(reference(DiracGAN(loss), (1.2, 0.4), 60))
    assert r == pytest.approx(np.full_like(r, r[0]), abs=1e-8)


def test_the_non_saturating_game_loses_it_slowly():
    game = DiracGAN("nonsaturating")
    for theta, psi in POINTS:
        s, (a, b) = theta * psi, game.field((theta, psi))
        assert theta * a + psi * b == pytest.approx(-s * math.tanh(s / 2), abs=1e-12)
    path = reference(game, (1.0, 1.0), 2000)
    square = radius(path)[-1] ** 2
    assert 1 / (1 / 2 + 2000 / 4) < square  # the bound of the chapter
    assert 2000 * square == pytest.approx(8, rel=0.05)  # its average over a turn


def test_simultaneous_steps_spiral_outwards():
    h, start = 0.1, np.array([[0.3, 0.1], [1.0, 1.0], [-2.0, 0.5]])
    r = radius(transport.trajectory(wasserstein(), start, h, 50))
    assert r == pytest.approx(r[0] * math.sqrt(1 + h**2) ** np.arange(51)[:, None], rel=1e-12)
    assert (np.diff(radius(transport.trajectory(DiracGAN("minimax"), start, h, 400)), axis=0) > 0).all()
    near = radius(transport.trajectory(DiracGAN("nonsaturating"), [[0.2, 0.0], [2.0, 1.0]], 0.05, 9000))
    assert near[-1] == pytest.approx([math.sqrt(2 * 0.05)] * 2, rel=0.02)


@pytest.mark.parametrize("steps", [1, 3])
def test_alternating_wasserstein_runs_stay_on_an_ellipse(steps):
    h = 0.7
    theta, psi = transport.trajectory(wasserstein(), (1.0, -0.4), h, 3000, True, steps).T
    form = steps * theta**2 - steps * h * theta * psi + psi**2
    assert form == pytest.approx(np.full(3001, form[0]), rel=1e-9)
    assert 0.1 < radius(np.stack([theta, psi], -1)).min()
    beyond = transport.trajectory(wasserstein(), (1.0, -0.4), 2.05 / math.sqrt(steps), 100, True, steps)
    assert radius(beyond)[-1] > 1e3


@pytest.mark.parametrize("alternating", [False, True])
def test_clipping_bounds_the_game_and_does_not_settle_it(alternating):
    c, h = 0.4, 0.05
    start = np.array([(0.9, 0.0), (1.0, 1.0), (-3.0, 0.2), (0.1, 0.05), (0.0, -0.4)])
    game = wasserstein("clip", c)
    path = transport.trajectory(game, start, h, 4000, alternating)
    assert np.abs(path[1:, :, 1]).max() <= c
    assert (np.abs(path[..., 0]).max(0) <= np.maximum(np.abs(start[:, 0]), 2 * c / h) + c * h).all()
    inside = radius(transport.flow(game, start, 60.0, 6000))[-1500:]
    expected = np.minimum(radius(start), c)
    assert inside == pytest.approx(np.tile(expected, (1500, 1)), abs=4e-3)  # a circle, of radius c at most
    assert (radius(path)[-500:].min(0) > 0.9 * (expected if alternating else c)).all()


@pytest.mark.parametrize("strength", [0.3, 1.0, 10.0])
@pytest.mark.parametrize("alternating", [False, True])
def test_the_gradient_penalty_never_lets_the_slope_rest_near_the_equilibrium(strength, alternating):
    game, h = wasserstein("gp", strength), 0.02
    starts = np.random.default_rng(0).uniform(-0.5, 0.5, (400, 2)) * [strength, 1]
    push = np.abs(game.discriminator(*starts.T))
    assert (push >= strength - np.abs(starts[:, 0])).all()  # the bound of the proof
    path = transport.trajectory(game, starts, h, 3000, alternating)
    assert (radius(path)[-500:].max(0) > 0.3 * min(1, strength)).all()


@pytest.mark.parametrize("strength", [1.5, 10.0])
def test_a_strong_gradient_penalty_ends_in_the_wrong_place(strength):
    """theta = 2 strength, by the closed form of an overdamped oscillator, from a perfect generator."""
    slow, fast = strength + math.sqrt(strength**2 - 1) * np.array([-1, 1])
    t = np.linspace(0, 8, 801)
    psi = slow * fast / (fast - slow) * (fast * np.exp(-slow * t) - slow * np.exp(-fast * t))
    path = transport.flow(wasserstein("gp", strength), (0.0, 1.0), 8.0, 1600)[::2]
    assert path[:, 1] == pytest.approx(psi, abs=1e-5) and (psi > 0).all()
    end = transport.trajectory(wasserstein("gp", strength), (0.0, 1.0), 0.05, 4000, True)[-1]
    assert end == pytest.approx([2 * strength, 0], abs=1e-3)


def test_r1_settles_every_smooth_game_from_afar():
    starts = np.array([[3.0, 2.0], [-2.0, 3.0], [4.0, -4.0]])
    for loss in DIRAC_LOSSES:
        end = transport.flow(DiracGAN(loss, "r1", 1.0), starts, 100.0, 1500)[-1]
        assert radius(end) == pytest.approx(np.zeros(3), abs=1e-4)


# ---- real nets --------------------------------------------------------------------------------------------


def test_plain_descent_plays_any_two_nets():
    generator, discriminator = nets.mlp([1, 4, 1]), nets.mlp([1, 4, 1], seed=1)
    game = transport.sgd_game(generator, discriminator, data.normal(), "nonsaturating", 0.1, batch_size=8)
    before = [p.detach().clone() for p in discriminator.parameters()]
    game.turn()
    moved = [(p - q).abs().max() for p, q in zip(discriminator.parameters(), before, strict=True)]
    assert max(moved) > 0 and game.sample(5).shape == (5, 1)
    assert all(isinstance(player.optimizer, torch.optim.SGD) for player in game.players)


def test_the_brake_works_on_nets_too():
    free, braked = (transport.bell_run("wasserstein", gamma, seed=1, turns=400) for gamma in (0.0, 1.0))
    assert free.wander > 0.1 > 3 * braked.wander and braked.w1 < free.w1
    first, again = (transport.bell_run("nonsaturating", 1.0, turns=6) for _ in range(2))
    assert first == again


def test_the_distance_of_a_bell_run_is_exact_w1():
    """The second of two turns is all that is averaged over; POT measures the same distance."""
    generator = nets.mlp([1, 16, 1], "tanh", seed=0)
    game = transport.sgd_game(generator, nets.mlp([1, 16, 1], "tanh", seed=100), data.normal(1.0, 0.5),
                              "minimax", 0.1, batch_size=128)  # fmt: skip
    game.run(2)
    z = torch.tensor(stats.norm.ppf((np.arange(101) + 0.5) / 101))[:, None]
    expected = metrics.w1(generator(z.float()), 1 + z / 2)
    assert transport.bell_run("minimax", 0.0, turns=2).w1 == pytest.approx(expected, abs=1e-5)


def test_a_phase_portrait_draws_field_and_paths():
    fig, axes = figures.new(3, 3)
    path = transport.trajectory(wasserstein(), (1.0, 1.0), 0.1, 20)
    transport.phase_portrait(axes, wasserstein(), [path], title="Wasserstein")
    assert axes.get_title() == "Wasserstein" and len(axes.lines) == 3
    arrows = axes.collections[0]
    at = np.argmin(np.abs(arrows.get_offsets() - [2.0, 0.0]).sum(1))  # to the right of the origin: down
    assert (arrows.U[at], arrows.V[at]) == pytest.approx((0, -1))


# ---- bad input --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("call, words", [
    (lambda: DiracGAN("hinge"), "no loss 'hinge' here; choose one of minimax"),
    (lambda: DiracGAN("minimax", "adam"), "no method 'adam'"),
    (lambda: DiracGAN("minimax", "r1", -1.0), "strength must be a number that is not negative"),
    (lambda: DiracGAN("minimax", "r1", math.nan), "strength must be a number"),
    (lambda: DiracGAN("minimax", "clip"), "positive strength"),
    (lambda: wasserstein("gp", 1.0).jacobian(), "jumps at psi = 0"),
    (lambda: wasserstein().field([1.0, 2.0, 3.0]), "a position is .theta, psi."),
    (lambda: wasserstein().field([1.0, math.nan]), "finite numbers"),
    (lambda: transport.trajectory(wasserstein(), (1, 1), 0.0, 5), "h must be a positive number"),
    (lambda: transport.trajectory(wasserstein(), (1, 1), 0.1, 0), "turns must be a positive whole number"),
    (lambda: transport.trajectory(wasserstein(), (1, 1), 0.1, 5, False, 2), "alternating=True"),
    (lambda: transport.trajectory(wasserstein(), (1, 1), 0.1, 5, True, 0), "steps must be a positive whole"),
    (lambda: transport.flow(wasserstein(), (1, 1), -1.0, 5), "time and the number of pieces"),
    (lambda: transport.flow(wasserstein(), (1, 1), 1.0, 0), "number of pieces must be positive"),
    (lambda: transport.spectral_radius(wasserstein(), math.inf), "h must be a positive number"),
    (lambda: transport.verdict(wasserstein("gp", 1.0), -0.1), "h must be a positive number"),
    (lambda: transport.dirac_game(wasserstein(), [[1.0, 1.0]], 0.1), "one position"),
    (lambda: transport.bell_run("poker", 1.0), "no loss named 'poker'"),
    (lambda: transport.bell_run("minimax", -1.0), "gamma"),
    (lambda: transport.bell_run("minimax", 1.0, turns=1), "turns must be a whole number, 2 at least"),
    (lambda: transport.dirac_game(wasserstein(), (1.0, 1.0), -0.1), "learning rate must be a number"),
])  # fmt: skip
def test_bad_input_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()


# ---- the exercises' checks --------------------------------------------------------------------------------


def own_turn(theta, psi, h, gamma):
    score = theta * psi
    psi = psi - h * (theta / (1 + math.exp(-score)) + gamma * psi)
    return theta + h * psi / (1 + math.exp(theta * psi)), psi


def at_once(theta, psi, h, gamma):
    score = theta * psi
    return (
        theta + h * psi / (1 + math.exp(score)),
        psi - h * (theta / (1 + math.exp(-score)) + gamma * psi),
    )


def saturating(theta, psi, h, gamma):
    psi = own_turn(theta, psi, h, gamma)[1]
    return theta + h * psi / (1 + math.exp(-theta * psi)), psi


@pytest.mark.parametrize("check, right, wrongs", [
    (ex.check_critic_steps, 2 / math.sqrt(5), [
        (2.0, "for one step"), (0.4, "square root"), (0, "both at once"),
        (4 / math.sqrt(5), "twice"), (3.0, "large"),
    ]),
    (ex.check_turn, own_turn, [
        (at_once, "new discriminator"),
        (saturating, "log(1 - D)"),
        (lambda t, p, h, g: own_turn(t, p, h, 2 * g), "gamma psi"),
        (lambda t, p, h, g: own_turn(t, p, h, 0), "without the penalty"),
        (lambda t, p, h, g: own_turn(t, p, -h, g), "ascend"),
        (lambda t, p, h, g: own_turn(t, p, h, g)[::-1], "changed places"),
        (lambda t, p, h, g: t, "shape"),
        (3.0, "hand in the function"),
    ]),
])  # fmt: skip
def test_exercise_checks_know_right_from_wrong(check, right, wrongs, capsys):
    judged(capsys, check, right, wrongs)


# ---- the figure that moves --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def page(moving):
    return moving.page("dynamics")


def shown(page, **controls):
    return page.evaluate(
        "s => { const g = document.querySelector('.gan-block').gan; g.set(s); return g.values() }", controls
    )


@every
@pytest.mark.parametrize("alternating, steps", [(False, 1), (True, 1), (True, 4)])
def test_the_figure_shows_the_library_s_numbers(page, game, alternating, steps):
    start, h, turns = (1.25, -0.4), 0.12, 250
    found = shown(
        page, loss=game.loss, method=game.method, strength=game.strength, h=h, turns=turns, n=steps,
        order="alternating" if alternating else "simultaneous", theta=start[0], psi=start[1],
    )  # fmt: skip
    path = transport.trajectory(game, start, h, turns, alternating, steps)
    assert (found["theta"], found["psi"]) == pytest.approx(tuple(path[-1]), rel=1e-8, abs=1e-9)
    assert found["middle"] == pytest.approx(radius(path)[125], rel=1e-8)
    assert found["speed"] == pytest.approx(game.field(start), abs=1e-9)
    assert found["verdict"] == transport.verdict(game, h, alternating, steps)
    if game.method == "gp":
        assert found["field"] == found["turn"] == []
    else:
        matrix = transport.update_matrix(game, h, alternating, steps)
        expected = transport.spectral_radius(game, h, alternating, steps)
        assert found["radius"] == pytest.approx(expected, abs=1e-9)
        for kind, expected in (("field", game.jacobian()), ("turn", matrix)):
            values = np.array(found[kind][::2]) + 1j * np.array(found[kind][1::2])
            truth = np.linalg.eigvals(expected)
            assert np.sort_complex(values) == pytest.approx(np.sort_complex(truth), abs=1e-7)


def test_simultaneous_moves_ignore_the_number_of_steps(page):
    settings = dict(loss="minimax", method="none", order="simultaneous", theta=1, psi=1, h=0.1, turns=100)
    assert shown(page, n=1, **settings) == shown(page, n=7, **settings)


def test_the_start_can_be_dragged_and_its_twin_is_a_slider(page, moving):
    shown(page, loss="wasserstein", method="none", theta=1, psi=1)
    moving.drag("dynamics", "default", 0, (-40, 30))
    moved = page.evaluate("(({theta, psi}) => [theta, psi])(document.querySelector('.gan-block').gan.state)")
    assert moved[0] < 0.9 and moved[1] < 0.9
    slider = page.get_by_label("θ at the start")
    slider.focus()
    slider.press("ArrowRight")
    theta = page.evaluate("document.querySelector('.gan-block').gan.state.theta")
    assert theta == pytest.approx(moved[0] + 0.05)


def test_the_button_damps_critically(page):
    for loss, strength in (("wasserstein", 2.0), ("minimax", 1.0)):
        shown(page, loss=loss, method="none")
        page.get_by_role("button", name="R1, critically damped").click()
        found = page.evaluate("document.querySelector('.gan-block').gan.state")
        assert (found["method"], found["strength"], found["verdict"]) == ("r1", strength, "attracts")
        assert "attracts" in page.locator(".gan-readout").inner_text()
