"""What lab 5 needs, and plausible wrong answers: task, a wrong answer, what the feedback must say."""

DATA = ("mnist",)

TURN = """
def turn(generator, body, head, q_head, images, inputs, move_d, move_g, weight=1.0):
    noise, codes = inputs()
    seen = body(generator(torch.cat([noise, codes], 1)).detach())
    move_d.zero_grad()
    loss = softplus(-head(body(images()))).mean() + softplus(head(seen)).mean()
    (loss {in_d}).backward()
    move_d.step()
    noise, {fresh} = inputs()
    seen = body(generator(torch.cat([noise, {fresh}], 1)))
    move_g.zero_grad()
    (softplus(-head(seen)).mean() {in_g}).backward()
    move_g.step()
"""
PAID = "+ weight * code_loss(q_head(seen), codes)"

WRONG = [
    (
        "draw",
        """
def draw(n, k, d, rng):
    codes = torch.eye(k)[torch.randint(k, (n,), generator=rng)]
    return torch.cat([codes, torch.rand(n, d, generator=rng)], 1)
""",
        "never negative",
    ),
    (
        "draw",
        """
def draw(n, k, d, rng):
    codes = torch.eye(k)[torch.randint(k, (n,), generator=rng)]
    return torch.cat([codes, 2 * torch.rand(n, d) - 1], 1)
""",
        "global generator",
    ),
    (
        "bound",
        """
def code_loss(logits, codes):
    return -(logits.softmax(1).log_softmax(1) * codes).sum(1).mean()

def bound(logits, codes):
    return math.log(logits.shape[1]) - code_loss(logits, codes)
""",
        "softmax is taken twice",
    ),
    (
        "bound",
        """
def code_loss(logits, codes):
    return -(logits.softmax(1).log() * codes).nansum(1).mean()

def bound(logits, codes):
    return math.log(logits.shape[1]) - code_loss(logits, codes)
""",
        "Use log_softmax",
    ),
    (
        "bound",
        """
def code_loss(logits, codes):
    return -(logits.log_softmax(1) * codes).sum(1).mean()

def bound(logits, codes):
    return -code_loss(logits, codes)
""",
        "H(c) is missing",
    ),
    (
        "gaussian",
        """
def gaussian_loss(mean, log_variance, codes):
    law = torch.distributions.Normal(mean, log_variance.exp())
    return -law.log_prob(codes).sum(1).mean()
""",
        "log of the *variance*",
    ),
    (
        "gaussian",
        """
def gaussian_loss(mean, log_variance, codes):
    return ((codes - mean) ** 2 / 2 * torch.exp(-log_variance)).sum(1).mean()
""",
        "by saying that it is unsure",
    ),
    ("turn", TURN.format(in_d=PAID.replace("+", "-"), in_g=PAID.replace("+", "-"), fresh="codes"), "The sign of Q's term"),
    ("turn", TURN.format(in_d=PAID, in_g="", fresh="codes"), "belongs to the player that moves G and Q"),
    ("turn", TURN.format(in_d=PAID, in_g=PAID, fresh="others"), "from which these pictures were not made"),
    (
        "turn",
        """
def turn(generator, body, head, q_head, images, inputs, move_d, move_g, weight=1.0):
    for mover, own in ((move_d, True), (move_g, False)):
        noise, codes = inputs()
        seen = body(generator(torch.cat([noise, codes], 1)))
        loss = softplus(-head(body(images()))).mean() + softplus(head(seen)).mean() if own else softplus(-head(seen)).mean()
        (loss + weight * code_loss(q_head(seen), codes)).backward()
        mover.step()
        mover.zero_grad()
""",
        "zero_grad after the step is too late",
    ),
    (
        "turn",
        TURN.format(in_d=PAID, in_g="+ weight * code_loss(q_head(body(generator(torch.cat([noise, codes], 1)))), codes)", fresh="codes"),
        "D and Q share what it sees",
    ),
    (
        "grid",
        """
def grid(k, d, values, dimension):
    rows = []
    for value in values:
        for code in range(k):
            row = torch.zeros(k + d)
            row[code], row[k + dimension] = 1, value
            rows.append(row)
    return torch.stack(rows)
""",
        "Rows and columns are exchanged",
    ),
    (
        "grid",
        """
def grid(k, d, values, dimension):
    codes = torch.zeros(k, len(values), k + d)
    codes[:, :, :k] = torch.eye(k)[:, None]
    codes[:, :, k:] = torch.tensor(values)[None, :, None]
    return codes.flatten(0, 1)
""",
        "Both continuous codes move",
    ),
    (
        "matched",
        """
def matched(codes, classes, k=10):
    counts = np.zeros((k, k), int)
    np.add.at(counts, (codes, classes), 1)
    return counts.max(1).sum() / len(codes), counts.argmax(1)
""",
        "rewards a game that never makes the other classes",
    ),
    (
        "matched",
        """
def matched(codes, classes, k=10):
    counts = np.zeros((k, k), int)
    np.add.at(counts, (codes, classes), 1)
    rows, columns = linear_sum_assignment(counts)
    return counts[rows, columns].sum() / len(codes), columns
""",
        "Does linear_sum_assignment maximise?",
    ),
    (
        "named",
        """
def named(codes, labels, k=10):
    return np.array([np.bincount(labels[codes == c], minlength=10).argmax() for c in range(k)])
""",
        "nobody knows what it means",
    ),
    (
        "named",
        """
def named(codes, labels, k=10):
    last = np.full(k, -1)
    last[codes] = labels
    return last
""",
        "two sevens and a two",
    ),
]
