"""MEHA on equation (19) of Liu, Liu, Yao, Zeng, Zhang, ICML 2024, with the constants of the preset `tuned` of
specs/meha_eq19.blo; the x-step is divided by n, as the gradient in x is a sum of n terms."""

import meha


def constants(n):
    return 0.05 / n, 0.05, 0.05, 0.3, 1.0, 0.49


def files(folder, size):
    pass


def blo(size):
    return ["specs/meha_eq19.blo", "-D", f"n={size['n']}", "-m", "meha:auto"], meha.options(constants(size["n"]))


def jax_program(size, dtype, folder):
    import jax.numpy as jnp

    n = size["n"]

    def upper(x, y, data):
        return (x - 2) ** 2 + jnp.sum((y - 4) ** 2)

    def lower(x, y, data):
        return jnp.sum(jnp.sin(x + y - 2))

    y = jnp.zeros(n, dtype)
    step = meha.step(upper, lower, constants(n))
    return (jnp.asarray(-6.0, dtype), y, y), (), step, lambda state, data: upper(state[0], state[1], data)
