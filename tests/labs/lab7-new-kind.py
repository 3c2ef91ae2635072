"""What lab 7 needs, and plausible wrong answers: task, a wrong answer, what the feedback must say."""

DATA = ("fashion-mnist", "cifar10")

WRONG = [
    (
        "contaminate",
        """
def contaminate(x, delta, noise, rng):
    chosen = torch.rand(x.shape, generator=rng) < delta
    return torch.where(chosen, x + noise(x), x)
""",
        "thrown once for each image",
    ),
    (
        "contaminate",
        """
def contaminate(x, delta, noise, rng):
    return x + delta * noise(x)
""",
        "Every image got noise",
    ),
    (
        "bound",
        """
def j_max(delta):
    return (delta * math.log(2) + (1 - delta) * math.log(1 - delta) - (2 - delta) * math.log(1 - delta / 2)) / 2
""",
        "At delta = 1 there is an error",
    ),
    ("bound", "def j_max(delta):\n    return delta * math.log(2)\n", "the paper's delta bits"),
    ("level", "def level_for(jsd):\n    return jsd / math.log(2)\n", "less noise than you could afford"),
    (
        "level",
        """
def level_for(jsd):
    low, high = 0.0, 1.0
    for _ in range(10):
        middle = (low + high) / 2
        low, high = (middle, high) if j_max(middle) < jsd else (low, middle)
    return low
""",
        "For 0.01 nats delta is",
    ),
    (
        "identity",
        """
def tv(p, q):
    return float(np.abs(np.asarray(p) - np.asarray(q)).sum())

def tv_identity(clean, moved, delta):
    clean, moved = np.asarray(clean), np.asarray(moved)
    return tv(clean, (1 - delta) * clean + delta * moved), delta * tv(clean, moved)
""",
        "The factor 1/2 is missing",
    ),
    (
        "identity",
        """
def tv(p, q):
    return float(np.abs(np.asarray(p) - np.asarray(q)).sum() / 2)

def tv_identity(clean, moved, delta):
    clean, moved = np.asarray(clean), np.asarray(moved)
    return tv(clean, delta * clean + (1 - delta) * moved), delta * tv(clean, moved)
""",
        "share that is *moved*",
    ),
    (
        "mixture",
        """
def draw(sources, weights, deltas, n, noise, rng):
    k = int(torch.multinomial(torch.tensor(weights), 1, generator=rng))
    return contaminate(sources[k](n), deltas[k], noise, rng), torch.full((n,), k)
""",
        "All examples came from one source",
    ),
    (
        "mixture",
        """
def draw(sources, weights, deltas, n, noise, rng):
    source = torch.multinomial(torch.tensor(weights), n, replacement=True, generator=rng)
    clean = torch.stack([one(n) for one in sources])[source, torch.arange(n)]
    return contaminate(clean, sum(w * d for w, d in zip(weights, deltas)), noise, rng), source
""",
        "noised at the average level",
    ),
    (
        "judge",
        """
def held_out_bound(p, q):
    right, wrong = torch.log(torch.sigmoid(p)), torch.log(1 - torch.sigmoid(q))
    value = math.log(2) + (right.mean() + wrong.mean()) / 2
    error = (right.var() / len(p) + wrong.var() / len(q)).sqrt() / 2
    return float(value), float(error)
""",
        "use logsigmoid(-z)",
    ),
    (
        "judge",
        """
def held_out_bound(p, q):
    right, wrong = torch.nn.functional.logsigmoid(p), torch.nn.functional.logsigmoid(-q)
    value = math.log(2) + (right.mean() + wrong.mean()) / 2
    return float(value), float((right.var() + wrong.var()).sqrt() / 2)
""",
        "variance of a mean is divided by n",
    ),
    (
        "conclude",
        """
def conclude(measured, error, promised):
    sure = measured - 2 * error
    if sure <= promised:
        return "kept", 0.0
    return "broken", (math.sqrt(sure) - math.sqrt(promised)) ** 2
""",
        "can refute a promise, but never confirm it",
    ),
    (
        "conclude",
        """
def conclude(measured, error, promised):
    sure = measured - 2 * error
    return ("broken", sure - promised) if sure > promised else ("open", 0.0)
""",
        "JSDs cannot be subtracted",
    ),
]
