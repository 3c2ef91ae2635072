"""What lab 3 needs, and plausible wrong answers: task, a wrong answer, what the feedback must say."""

DATA = ("fashion-mnist",)

WRONG = [
    (
        "frames",
        """
def at_frames(losses, turns):
    return losses[turns[1:] - 1]

def estimate(critic_losses):
    return -critic_losses
""",
        "loss of a single turn",
    ),
    (
        "frames",
        """
def at_frames(losses, turns):
    return torch.stack([losses[a + 1 : b + 1].mean(0) for a, b in zip(turns[:-1], turns[1:])])

def estimate(critic_losses):
    return -critic_losses
""",
        "a turn late",
    ),
    (
        "frames",
        """
def at_frames(losses, turns):
    return torch.stack([losses[a:b].mean(0) for a, b in zip(turns[:-1], turns[1:])])

def estimate(critic_losses):
    return critic_losses
""",
        "loss is minus the estimate",
    ),
    ("spearman", "def spearman(a, b):\n    return float(np.corrcoef(a, b)[0, 1])\n", "take ranks"),
    (
        "spearman",
        "def spearman(a, b):\n    return float(np.corrcoef(np.argsort(a), np.argsort(b))[0, 1])\n",
        "Sort twice",
    ),
    (
        "spearman",
        """
def spearman(a, b):
    ranks = [np.argsort(np.argsort(x, kind="stable"), kind="stable") for x in (a, b)]
    return float(np.corrcoef(*ranks)[0, 1])
""",
        "share the mean of their ranks",
    ),
    (
        "swings",
        """
def swings(series, width):
    return np.asarray(series)[: len(series) // width * width].reshape(-1, width).std(1)
""",
        "The straight line is still in",
    ),
    (
        "swings",
        """
def swings(series, width):
    time = np.arange(len(series))
    rest = series - np.polyval(np.polyfit(time, series, 1), time)
    return rest[: len(series) // width * width].reshape(-1, width).std(1)
""",
        "each window needs its own line",
    ),
    (
        "w1",
        """
def w1(a, b):
    return float(torch.cdist(a.flatten(1).double(), b.flatten(1).double()).min(1).values.mean())
""",
        "Each image may be used only once",
    ),
    (
        "w1",
        """
def w1(a, b):
    distances = torch.cdist(a.flatten(1).double(), b.flatten(1).double()).square().numpy()
    return float(distances[linear_sum_assignment(distances)].mean())
""",
        "belong to W2 squared",
    ),
    (
        "prc",
        """
def fidelity(real, fake, k=5):
    found = metrics.prdc(real, fake, k - 1)
    return found.precision, found.recall, found.coverage
""",
        "Your balls are too small",
    ),
    (
        "prc",
        """
def fidelity(real, fake, k=5):
    found = metrics.prdc(fake, real, k)
    return found.precision, found.recall, metrics.prdc(real, fake, k).coverage
""",
        "Precision and recall are exchanged",
    ),
    (
        "infinity",
        """
def at_infinity(a, b, sizes, repeats=4, seed=0):
    rng, means = np.random.default_rng(seed), []
    for n in sizes:
        parts = [[x[rng.choice(len(x), n, replace=False)] for x in (a, b)] for _ in range(repeats)]
        means.append(np.mean([metrics.frechet(*pair) for pair in parts]))
    return float(np.polyfit(sizes, means, 1)[1])
""",
        "to no samples at all",
    ),
    (
        "infinity",
        """
def at_infinity(a, b, sizes, repeats=4, seed=0):
    means = [metrics.frechet(a[:n], b[:n]) for n in sizes]
    return float(np.polyfit(1 / np.array(sizes), means, 1)[1])
""",
        "draw them at random",
    ),
    (
        "infinity",
        """
def at_infinity(a, b, sizes, repeats=4, seed=0):
    rng, n = np.random.default_rng(seed), max(sizes)
    parts = [[x[rng.choice(len(x), n, replace=False)] for x in (a, b)] for _ in range(repeats)]
    return float(np.mean([metrics.frechet(*pair) for pair in parts]))
""",
        "still biased",
    ),
    (
        "nearer",
        """
def nearer(samples, training, held_out, seed=0):
    near, far = (metrics.nearest(samples, x)[0] for x in (training, held_out))
    return float((near < far).mean() + (near == far).mean() / 2)
""",
        "Take equally many of both",
    ),
    (
        "nearer",
        """
def nearer(samples, training, held_out, seed=0):
    size = min(len(training), len(held_out))
    near, far = (metrics.nearest(samples, x[torch.randperm(len(x))[:size]])[0] for x in (training, held_out))
    return float((near < far).mean())
""",
        "a tie counts half",
    ),
]
