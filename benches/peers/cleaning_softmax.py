"""Data hyper-cleaning with softmax regression: reverse-mode hypergradients through K lower steps, which start at zero in
every upper step. In JAX the steps are a `scan`; with `remat` every step is computed again on the way back, so that states
alone are kept."""

import images

STEP, UPPER_STEP = 0.1, 10.0


def files(folder, size):
    images.write(folder, size["rows"])


def blo(size):
    options = [f"K={size['K']}", f"s_l={STEP}", f"alpha_x={UPPER_STEP}", "start=fixed"]
    memory = ["--memory", size["memory"]] if "memory" in size else []
    return ["benches/peers/cleaning_softmax.blo", "-m", size.get("method", "rhg"), *memory], options


def jax_program(size, dtype, folder):
    import jax
    import jax.numpy as jnp

    def loss(w, rows):
        u, v = rows
        logits = u @ w
        return jax.nn.logsumexp(logits, axis=1) - jnp.take_along_axis(logits, v[:, None], axis=1)[:, 0]

    def lower(x, w, data):
        return (jax.nn.sigmoid(x) * loss(w, data["train"])).mean()

    def end(x, data):
        one = jax.checkpoint(lambda w: w - STEP * jax.grad(lower, 1)(x, w, data))
        w = jnp.zeros((784, 10), dtype)
        w = jax.lax.scan(lambda w, _: (one(w), None), w, None, length=size["K"])[0]
        return loss(w, data["val"]).mean()

    data = {part: jax.tree.map(jnp.asarray, images.read(folder, part, dtype)) for part in ["train", "val"]}
    step = lambda k, x, data: x - UPPER_STEP * jax.grad(end)(x, data)
    return jnp.zeros(size["rows"], dtype), data, step, end
