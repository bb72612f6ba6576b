"""Few-shot classification with the papers' ConvNet, MEHA with their constants: few_shot_conv.blo, which is
specs/few_shot_conv.blo on tasks that both sides read."""

import meha

CONSTANTS = 0.08, 0.05, 1e-3, 100.0, 0.067, 0.08
PARTS = ["W1", "W2", "W3", "W4", "s1", "s2", "s3", "s4", "t1", "t2", "t3", "t4"]


def files(folder, size):
    import numpy

    generator = numpy.random.default_rng(0)
    tasks, ways, query, width = (size[name] for name in ["tasks", "ways", "query", "width"])
    prototypes = generator.random((tasks, ways, 784)) < 0.15
    labels = numpy.tile(numpy.arange(query) % ways, (tasks, 1))
    noise = lambda of: numpy.where(generator.random(of.shape) < 0.05, ~of, of).astype("f8")
    arrays = {"tr_u": noise(prototypes), "tr_h": numpy.tile(numpy.eye(ways), (tasks, 1, 1))}
    arrays["val_u"] = noise(numpy.take_along_axis(prototypes, labels[:, :, None], axis=1))
    arrays["val_h"] = numpy.eye(ways)[labels]
    for name, channels in [("W1", 1), ("W2", width), ("W3", width), ("W4", width)]:
        arrays[name] = generator.normal(size=(width, channels, 3, 3)) * numpy.sqrt(2 / (9 * channels))
    for name, values in arrays.items():
        numpy.save(folder / f"{name}.npy", values)


def blo(size):
    sizes = [word for name in ["tasks", "ways", "query", "width"] for word in ["-D", f"{name}={size[name]}"]]
    return ["benches/peers/few_shot_conv.blo", *sizes, "-m", "meha"], meha.options(CONSTANTS)


def jax_program(size, dtype, folder):
    import jax
    import jax.numpy as jnp
    import numpy

    array = {p.stem: jnp.asarray(numpy.load(p), dtype) for p in folder.glob("*.npy")}
    width, ways, tasks = size["width"], size["ways"], size["tasks"]

    def features(x, u):
        h = u.reshape(-1, 1, 28, 28)
        for i in "1234":
            h = jax.lax.conv_general_dilated(h, x["W" + i], (1, 1), "SAME", dimension_numbers=("NCHW", "OIHW", "NCHW"))
            mean, variance = h.mean((0, 2, 3), keepdims=True), h.var((0, 2, 3), keepdims=True)
            scale, shift = (x[name + i][:, None, None] for name in "st")
            h = jax.nn.relu(scale * (h - mean) / jnp.sqrt(variance + 1e-5) + shift)
            h = jax.lax.reduce_window(h, -jnp.inf, jax.lax.max, (1, 1, 2, 2), (1, 1, 2, 2), "VALID")
        return h.reshape(h.shape[0], -1)

    def loss(x, y, u, hot):
        logits = features(x, u) @ y[0] + y[1]
        return (jax.nn.logsumexp(logits, axis=1) - (hot * logits).sum(1)).mean()

    def upper(x, y, data):
        return jax.vmap(loss, (None, 0, 0, 0))(x, y, data["val_u"], data["val_h"]).mean()

    def lower(x, y, data):
        return jax.vmap(loss, (None, 0, 0, 0))(x, y, data["tr_u"], data["tr_h"]).sum()

    start = {"s": jnp.ones(width, dtype), "t": jnp.zeros(width, dtype)}
    x = {name: array[name] if name in array else start[name[0]] for name in PARTS}
    y = jnp.zeros((tasks, width, ways), dtype), jnp.zeros((tasks, ways), dtype)
    data = {name: array[name] for name in ["tr_u", "tr_h", "val_u", "val_h"]}
    step = meha.step(upper, lower, CONSTANTS)
    return (x, y, y), data, step, lambda state, data: upper(state[0], state[1], data)
