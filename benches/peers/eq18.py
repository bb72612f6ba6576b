"""MEHA on equation (18) of Liu, Liu, Yao, Zeng, Zhang, ICML 2024. Variants: `general`, the constants of the preset `tuned`
of specs/meha_eq18.blo, and `gamma1`, where XLA compiles the division by gamma away."""

import meha

CONSTANTS = {
    "general": (0.554, 0.171, 0.353, 6.68, 0.1, 0.454),
    "gamma1": (0.1, 0.1, 0.25, 1.0, 0.2, 0.49),
}


def files(folder, size):
    pass


def blo(size):
    return ["specs/meha_eq18.blo", "-D", f"n={size['n']}", "-m", "meha:auto"], meha.options(CONSTANTS[size["variant"]])


def jax_program(size, dtype, folder):
    import jax.numpy as jnp

    n = size["n"]

    def upper(x, y, data):
        y1, y2 = y
        return 0.5 * jnp.sum((x - y2) ** 2) + 0.5 * jnp.sum((y1 - 1) ** 2)

    def lower(x, y, data):
        y1, _ = y
        return 0.5 * jnp.sum(y1**2) - jnp.sum(x * y1)

    y = jnp.zeros(n, dtype), jnp.zeros(n, dtype)
    step = meha.step(upper, lower, CONSTANTS[size["variant"]])
    return (jnp.zeros(n, dtype), y, y), (), step, lambda state, data: upper(state[0], state[1], data)
