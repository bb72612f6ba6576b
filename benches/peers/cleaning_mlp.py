"""Data hyper-cleaning with a network 784-hidden-10, MEHA with the paper's constants: cleaning_mlp.blo, which is
specs/hyper_cleaning.blo on files that both sides read."""

import images
import meha

CONSTANTS = 0.1, 0.15, 1e-3, 100.0, 0.2, 0.25


def files(folder, size):
    import numpy

    images.write(folder, size["rows"])
    generator = numpy.random.default_rng(1)
    for name, a, b in [("W1", 784, size["hidden"]), ("W2", size["hidden"], 10)]:
        numpy.save(folder / f"{name}.npy", generator.normal(size=(a, b)) * numpy.sqrt(2 / (a + b)))


def blo(size):
    return ["benches/peers/cleaning_mlp.blo", "-D", f"hidden={size['hidden']}", "-m", "meha"], meha.options(CONSTANTS)


def jax_program(size, dtype, folder):
    import jax
    import jax.numpy as jnp
    import numpy

    def loss(y, rows):
        u, v = rows
        w1, b1, w2, b2 = y
        logits = jnp.tanh(u @ w1 + b1) @ w2 + b2
        return jax.nn.logsumexp(logits, axis=1) - jnp.take_along_axis(logits, v[:, None], axis=1)[:, 0]

    def upper(x, y, data):
        return loss(y, data["val"]).mean()

    def lower(x, y, data):
        return (jax.nn.sigmoid(x) * loss(y, data["train"])).mean()

    data = {part: jax.tree.map(jnp.asarray, images.read(folder, part, dtype)) for part in ["train", "val"]}
    w1, w2 = (jnp.asarray(numpy.load(folder / f"{name}.npy"), dtype) for name in ["W1", "W2"])
    y = w1, jnp.zeros(size["hidden"], dtype), w2, jnp.zeros(10, dtype)
    step = meha.step(upper, lower, CONSTANTS)
    state = jnp.zeros(size["rows"], dtype), y, y
    return state, data, step, lambda state, data: upper(state[0], state[1], data)
