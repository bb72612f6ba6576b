"""MEHA in JAX (Liu, Liu, Yao, Zeng, Zhang, ICML 2024, Algorithm 1) as a user of JAX writes it: gradients by `jax.grad` of
any pytree, steps stated. A problem gives its two objectives and the constants."""


def step(upper, lower, constants):
    """`step(k, (x, y, theta), data)` with constants alpha, beta, eta, gamma, c, p; objectives take (x, y, data)."""
    import jax

    alpha, beta, eta, gamma, c, p = constants
    combine = jax.tree.map

    def next_state(k, state, data):
        x, y, theta = state
        c_k = c * (k + 1.0) ** p
        f_y = jax.grad(lower, 1)(x, theta, data)
        theta = combine(lambda t, g, y: t - eta * (g + (t - y) / gamma), theta, f_y, y)
        big_f_x = jax.grad(upper, 0)(x, y, data)
        f_x, f_x_theta = jax.grad(lower, 0)(x, y, data), jax.grad(lower, 0)(x, theta, data)
        x = combine(lambda x, g, a, b: x - alpha * (g / c_k + a - b), x, big_f_x, f_x, f_x_theta)
        big_f_y, f_y = jax.grad(upper, 1)(x, y, data), jax.grad(lower, 1)(x, y, data)
        y = combine(lambda y, g, f, t: y - beta * (g / c_k + f - (y - t) / gamma), y, big_f_y, f_y, theta)
        return x, y, theta

    return next_state


def options(constants):
    """The same constants on the command line of blo."""
    return [f"{name}={value!r}" for name, value in zip(["alpha", "beta", "eta", "gamma", "c", "p"], constants)]
