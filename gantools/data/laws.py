"""Laws of the plane and the line, with a density where there is one."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from gantools.data.source import Source


def _positive(**numbers: float) -> None:
    for name, value in numbers.items():
        if not value > 0 or not math.isfinite(value):
            raise ValueError(f"{name} must be a positive number, not {value!r}")


@dataclass(frozen=True, eq=False)
class Mixture(Source):
    """An isotropic Gaussian mixture: N(centre, sd^2 I) around each centre, (k, d), with its weight, (k,)."""

    centres: Tensor
    sd: float
    weights: Tensor
    name: str = "mixture"
    equal: bool = True  # all weights alike: decided once, so that a draw need not ask the device

    @property
    def shape(self) -> tuple[int]:
        return (self.centres.shape[1],)

    @property
    def device(self) -> torch.device:
        return self.centres.device

    @property
    def box(self) -> tuple[float, ...]:
        """(xmin, xmax, ymin, ymax, ...): the centres with a margin, for pictures."""
        low, high = self.centres.amin(0), self.centres.amax(0)
        margin = max(0.3 * float((high - low).max()), 4 * self.sd)
        return tuple(float(edge) for pair in zip(low - margin, high + margin, strict=True) for edge in pair)

    def draw(self, n: int, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """(x, component): (n, d) float32 and (n,) int64."""
        if len(self.centres) == 1:
            component = torch.zeros(n, dtype=torch.int64, device=self.device)
        elif self.equal:
            component = torch.randint(len(self.centres), (n,), generator=generator, device=self.device)
        else:
            component = torch.multinomial(self.weights, n, replacement=True, generator=generator)
        noise = torch.randn(n, *self.shape, generator=generator, device=self.device)
        return torch.add(self.centres[component], noise, alpha=self.sd), component

    def log_density(self, x: Tensor) -> Tensor:
        """log p at x, (n, d) -> (n,), in nats per unit volume."""
        square = torch.cdist(x, self.centres).square()  # (n, k)
        log_normal = -square / (2 * self.sd**2) - self.shape[0] * math.log(self.sd * math.sqrt(2 * math.pi))
        return torch.logsumexp(log_normal + self.weights.log(), dim=1)

    def to(self, device) -> "Mixture":
        return replace(self, centres=self.centres.to(device), weights=self.weights.to(device))


def mixture(
    centres: Sequence, sd: float, weights: Sequence[float] | None = None, name: str = "mixture"
) -> Mixture:
    """The mixture of N(centre, sd^2 I); weights default to equal ones."""
    _positive(sd=sd)
    points = [list(map(float, centre)) for centre in centres]
    if not points or not points[0] or len({len(point) for point in points}) > 1:
        raise ValueError("centres must be a table of k rows of d numbers each, k and d at least one")
    k = len(points)
    share = [1 / k] * k if weights is None else list(map(float, weights))
    if len(share) != k or min(share) <= 0 or not math.isclose(sum(share), 1, rel_tol=1e-6):
        raise ValueError(f"weights must be {k} positive numbers that sum to one, not {share}")
    return Mixture(torch.tensor(points), float(sd), torch.tensor(share), name, equal=len(set(share)) == 1)


def normal(mean: float | Sequence[float] = 0.0, sd: float = 1.0) -> Mixture:
    """N(mean, sd^2 I), on the line for a number, in d dimensions for d numbers."""
    return mixture([[mean] if isinstance(mean, int | float) else list(mean)], sd, name="normal")


def ring(k: int = 8, radius: float = 1.0, sd: float = 0.02) -> Mixture:
    """k equal modes on a circle, the first at angle 0."""
    _positive(k=k, radius=radius)
    angles = [2 * math.pi * mode / k for mode in range(k)]
    return mixture([[radius * math.cos(a), radius * math.sin(a)] for a in angles], sd, name=f"ring of {k}")


def grid(side: int = 5, spacing: float = 2.0, sd: float = 0.05) -> Mixture:
    """side x side equal modes, centred at the origin."""
    _positive(side=side, spacing=spacing)
    axis = [spacing * (mode - (side - 1) / 2) for mode in range(side)]
    return mixture([[x, y] for x in axis for y in axis], sd, name=f"grid of {side * side}")


@dataclass(frozen=True, eq=False)
class Line(Source):
    """The law of (theta, U) + sigma N(0, I) with U uniform on [0, 1]: WGAN's example 1, with instance noise.

    Without noise it lives on a segment of the plane and has no density there.
    """

    theta: float
    sigma: float = 0.0
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    shape = (2,)

    @property
    def name(self) -> str:
        return f"line at {self.theta:g}"

    @property
    def box(self) -> tuple[float, float, float, float]:
        margin = 0.3 + 3 * self.sigma
        return min(self.theta, 0) - margin, max(self.theta, 0) + margin, -margin, 1 + margin

    def draw(self, n: int, generator: torch.Generator | None = None) -> tuple[Tensor, None]:
        u = torch.rand(n, generator=generator, device=self.device)
        x = torch.stack([torch.full_like(u, self.theta), u], dim=1)
        if self.sigma:
            x += self.sigma * torch.randn(n, 2, generator=generator, device=self.device)
        return x, None

    def log_density(self, x: Tensor) -> Tensor:
        """log p at x, (n, 2) -> (n,); ValueError without noise, for there is no density then."""
        if not self.sigma:
            raise ValueError("a line without noise has no density in the plane; give it sigma > 0")
        across, along = (x - torch.tensor([self.theta, 0.0], device=x.device)).unbind(1)
        inside = torch.special.ndtr(along / self.sigma) - torch.special.ndtr((along - 1) / self.sigma)
        return -0.5 * (across / self.sigma) ** 2 - math.log(self.sigma * math.sqrt(2 * math.pi)) + inside.log()

    def to(self, device) -> "Line":
        return replace(self, device=torch.device(device))


def lines(theta: float, sigma: float = 0.0) -> Line:
    """One of the parallel lines: P_theta, noised by N(0, sigma^2 I) if sigma > 0."""
    if not sigma >= 0 or not math.isfinite(sigma) or not math.isfinite(theta):
        raise ValueError(f"theta must be finite and sigma non-negative, not {theta!r} and {sigma!r}")
    return Line(float(theta), float(sigma))


@dataclass(frozen=True, eq=False)
class SwissRoll(Source):
    """A spiral of one and a half turns in the plane, blurred by N(0, sd^2 I).

    The angle t is uniform on [1.5 pi, 4.5 pi] and the distance from the origin is radius t / (4.5 pi), as in
    scikit-learn's roll seen from its end: samples are rarer further out.
    """

    radius: float
    sd: float
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    shape = (2,)
    name = "swiss roll"

    @property
    def box(self) -> tuple[float, float, float, float]:
        """(xmin, xmax, ymin, ymax): the outermost winding with a margin, for pictures."""
        edge = 1.15 * self.radius + 4 * self.sd
        return -edge, edge, -edge, edge

    def curve(self, u: Tensor) -> Tensor:
        """The spiral at the shares u of its range of angles, (...) -> (..., 2)."""
        t = 1.5 * math.pi * (1 + 2 * u)
        return self.radius / (4.5 * math.pi) * torch.stack([t * t.cos(), t * t.sin()], dim=-1)

    def draw(self, n: int, generator: torch.Generator | None = None) -> tuple[Tensor, None]:
        x = self.curve(torch.rand(n, generator=generator, device=self.device))
        noise = torch.randn(n, 2, generator=generator, device=self.device)
        return torch.add(x, noise, alpha=self.sd), None

    def log_density(self, x: Tensor) -> Tensor:
        """log p at x, (n, 2) -> (n,), in nats per unit of area: midpoint rule along the spiral."""
        k = math.ceil(20 * self.radius / self.sd)  # nodes at most half an sd apart: |dx/du| < 10 radius
        u = (torch.arange(k, device=x.device) + 0.5) / k
        square = torch.cdist(x, self.curve(u)).square()  # (n, k)
        log_normal = -square / (2 * self.sd**2) - math.log(2 * math.pi * self.sd**2)
        return torch.logsumexp(log_normal, dim=1) - math.log(k)

    def to(self, device) -> "SwissRoll":
        return replace(self, device=torch.device(device))


def swiss_roll(radius: float = 2.0, sd: float = 0.05) -> SwissRoll:
    """The swiss roll in the plane: a spiral that ends at distance `radius` from the origin, blurred by sd."""
    _positive(radius=radius, sd=sd)
    return SwissRoll(float(radius), float(sd))
