"""What lab 2 needs, and plausible wrong answers: task, a wrong answer, what the feedback must say."""

DATA = ("mnist",)

WRONG = [
    (
        "losses",
        """
def critic_loss(real, fake):
    return real.mean() - fake.mean()

def generator_loss(fake):
    return -fake.mean()
""",
        "turned round",
    ),
    (
        "losses",
        """
def critic_loss(real, fake):
    return fake.mean() - real.mean()

def generator_loss(fake):
    return fake.mean()
""",
        "walk away from the data",
    ),
    (
        "turn",
        """
def turn(generator, critic, images, latents, move_critic, move_generator, steps=5, c=0.01):
    real, z = images(), latents()
    for _ in range(steps):
        move_critic.zero_grad()
        critic_loss(critic(real), critic(generator(z).detach())).backward()
        move_critic.step()
        with torch.no_grad():
            for weight in critic.parameters():
                weight.clamp_(-c, c)
    move_generator.zero_grad()
    generator_loss(critic(generator(latents()))).backward()
    move_generator.step()
""",
        "learns that batch by heart",
    ),
    (
        "turn",
        """
def turn(generator, critic, images, latents, move_critic, move_generator, steps=5, c=0.01):
    for _ in range(steps):
        critic_loss(critic(images()), critic(generator(latents()))).backward()
        move_critic.step()
        with torch.no_grad():
            for weight in critic.parameters():
                weight.clamp_(-c, c)
        move_critic.zero_grad()
    generator_loss(critic(generator(latents()))).backward()
    move_generator.step()
    move_generator.zero_grad()
""",
        "zero_grad before backward",
    ),
    (
        "turn",
        """
def turn(generator, critic, images, latents, move_critic, move_generator, steps=5, c=0.01):
    for _ in range(steps):
        fake = generator(latents()).detach()
        move_critic.zero_grad()
        critic_loss(critic(images()), critic(fake)).backward()
        for weight in critic.parameters():
            weight.grad.clamp_(-c, c)
        move_critic.step()
    move_generator.zero_grad()
    generator_loss(critic(generator(latents()))).backward()
    move_generator.step()
""",
        "Clip weights and biases in place",
    ),
    (
        "frames",
        """
def frame_at(turns, epoch, turns_an_epoch=91):
    return int((turns - epoch * turns_an_epoch).abs().argmin())
""",
        "not the nearest",
    ),
    ("frames", "def frame_at(turns, epoch, turns_an_epoch=91):\n    return epoch - 1\n", "Frame 0 was taken before"),
    (
        "frechet",
        """
def frechet(a, b):
    s1, s2 = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    gap = a.mean(0) - b.mean(0)
    return float(gap @ gap + np.trace(s1 + s2 - 2 * np.sqrt(np.abs(s1 @ s2))))
""",
        "root of a matrix goes through its eigenvalues",
    ),
    (
        "frechet",
        """
def frechet(a, b):
    def root(matrix):
        values, vectors = np.linalg.eigh(matrix)
        return vectors * np.sqrt(values.clip(0)) @ vectors.T
    s1, s2 = np.cov(a, rowvar=False, bias=True), np.cov(b, rowvar=False, bias=True)
    half, gap = root(s1), a.mean(0) - b.mean(0)
    return float(gap @ gap + np.trace(s1 + s2 - 2 * root(half @ s2 @ half)))
""",
        "divide by n - 1",
    ),
    ("fooled", "def constant(images, n):\n    return images[:1].expand(n, -1, -1, -1)\n", "one of the real images"),
    ("fooled", "def constant(images, n):\n    return torch.zeros(n, 1, 28, 28)\n", "nearest to all eights"),
    (
        "penalty",
        """
def r1(discriminator, real, gamma):
    real = real.detach().requires_grad_()
    slope = torch.autograd.grad(discriminator(real).sum(), real)[0]
    return gamma / 2 * slope.square().flatten(1).sum(1).mean()
""",
        "create_graph=True",
    ),
    (
        "penalty",
        """
def r1(discriminator, real, gamma):
    real = real.detach().requires_grad_()
    slope = torch.autograd.grad(discriminator(real).mean(), real, create_graph=True)[0]
    return gamma / 2 * slope.square().flatten(1).sum(1).mean()
""",
        "differentiate the sum of the scores",
    ),
    (
        "average",
        """
def update_average(average, net, beta):
    for mean, weight in zip(average.parameters(), net.parameters()):
        mean = beta * mean + (1 - beta) * weight
""",
        "forgets it",
    ),
    (
        "average",
        """
def update_average(average, net, beta):
    with torch.no_grad():
        for mean, weight in zip(average.parameters(), net.parameters()):
            mean.lerp_(weight, beta)
""",
        "are exchanged",
    ),
]
