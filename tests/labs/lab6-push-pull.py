"""What lab 6 needs, and plausible wrong answers: task, a wrong answer, what the feedback must say."""

DATA = ("mnist", "fashion-mnist")

WRONG = [
    (
        "best",
        """
def jsd(a, b):
    b = np.asarray(b, float)
    kl = lambda p, q: p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q))
    return (kl(a, (a + b) / 2) + kl(b, (a + b) / 2)) / 2
""",
        "0 log 0 counts as 0",
    ),
    (
        "best",
        """
def best_share(forces, grid=GRID):
    return float(grid[np.argmin(sum(abs(weight) * jsd(a, grid) for weight, a in forces))])
""",
        "Your push pulls",
    ),
    (
        "pair",
        """
def settled(gamma, beta):
    return best_share([(1.0, 0.5), (-beta, 1.0), (-beta, 0.5)]), best_share([(1.0, 0.5), (gamma, 1.0), (-beta, 0.5)])
""",
        "where the other stands *now*",
    ),
    (
        "pair",
        """
def settled(gamma, beta):
    b1 = b2 = 0.5
    for _ in range(200):
        b1 = best_share([(1.0, 0.5), (beta, 1.0), (-beta, b2)])
        b2 = best_share([(1.0, 0.5), (gamma, 1.0), (-beta, b1)])
    return b1, b2
""",
        "pulls your first generator",
    ),
    (
        "loss",
        """
def generator_loss(pull, push, alpha, loss="minimax"):
    pulled = -softplus(pull) if loss == "minimax" else softplus(-pull)
    return pulled.mean() - alpha * softplus(push).mean()
""",
        "your push pulls",
    ),
    (
        "loss",
        """
def generator_loss(pull, push, alpha, loss="minimax"):
    pulled = -softplus(pull) if loss == "minimax" else softplus(-pull)
    return pulled.mean() - alpha * softplus(-push).mean()
""",
        "non-saturating term turned round",
    ),
    (
        "divide",
        """
def divide(labels, wanted, unwanted, primary, auxiliary, rng):
    order = torch.randperm(len(labels), generator=rng)
    good, bad = (order[labels[order] == label] for label in (wanted, unwanted))
    heap = torch.cat([good[:primary], bad[:primary]])
    return heap[torch.randperm(len(heap), generator=rng)], bad[:auxiliary]
""",
        "images are in both sources",
    ),
    (
        "divide",
        """
def divide(labels, wanted, unwanted, primary, auxiliary, rng):
    good, bad = ((labels == label).nonzero().flatten() for label in (wanted, unwanted))
    heap = torch.cat([good[:primary], bad[:primary]])
    return heap[torch.randperm(len(heap), generator=rng)], bad[primary : primary + auxiliary]
""",
        "do you always take the first",
    ),
    (
        "shared",
        """
def all_answer(firsts, trunk, z):
    return torch.stack([trunk(first(z)) for first in firsts])
""",
        "once is enough",
    ),
    (
        "shared",
        """
def all_answer(firsts, trunk, z):
    hidden = torch.stack([first(z) for first in firsts], 1).flatten(0, 1)
    return trunk(hidden).unflatten(0, (len(firsts), len(z)))
""",
        "wrong generator",
    ),
    (
        "owners",
        """
def owners(labels, K, classes=20):
    shares = np.stack([np.bincount(part, minlength=classes) / len(part) for part in np.array_split(labels, K)])
    return shares, len(set(shares.argmax(1).tolist())), float((shares >= 0.05).sum(1).mean())
""",
        "You cut the sample into blocks",
    ),
    (
        "owners",
        """
def owners(labels, K, classes=20):
    shares = np.stack([np.bincount(labels[k::K], minlength=classes) / len(labels) for k in range(K)])
    return shares, len(set(shares.argmax(1).tolist())), float((shares >= 0.05).sum(1).mean())
""",
        "shares of its own samples",
    ),
    (
        "histogram",
        """
def histogram_jsd(fake, real, classes=20):
    p, q = (np.bincount(labels, minlength=classes) / len(labels) for labels in (fake, real))
    m = (p + q) / 2
    return float(np.sum(p * np.log(p / m) + q * np.log(q / m)) / 2), (classes - 1) / 8 * (1 / len(fake) + 1 / len(real))
""",
        "a class that is not made",
    ),
    (
        "histogram",
        """
def histogram_jsd(fake, real, classes=20):
    p, q = (np.bincount(labels, minlength=classes) / len(labels) for labels in (fake, real))
    m = (p + q) / 2
    parts = [np.sum(x[x > 0] * np.log(x[x > 0] / m[x > 0])) for x in (p, q)]
    return float(sum(parts) / 2), (classes - 1) / 8 / len(fake)
""",
        "Both samples are random",
    ),
]
