"""MEHA in JAX: one jitted loop on the CPU in double precision. See README.md."""

import jax

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_platforms", "cpu")
import jax.numpy as jnp

from problems import constants, measure, objectives, shape


def start(problem, n):
    upper, lower = objectives(jnp)[problem]
    alpha, beta, eta, gamma, c, p = constants(problem, n)
    f_x, f_y = jax.grad(lower, 0), jax.grad(lower, 1)
    big_f_x, big_f_y = jax.grad(upper, 0), jax.grad(upper, 1)

    def step(k, state):
        x, y, theta = state
        c_k = c * (k + 1.0) ** p
        theta = theta - eta * (f_y(x, theta) + (theta - y) / gamma)
        x = x - alpha * (big_f_x(x, y) / c_k + f_x(x, y) - f_x(x, theta))
        y = y - beta * (big_f_y(x, y) / c_k + f_y(x, y) - (y - theta) / gamma)
        return x, y, theta

    @jax.jit
    def run(count, x, y, theta):
        x, y, theta = jax.lax.fori_loop(0, count, step, (x, y, theta))
        return upper(x, y)

    nx, ny, x0 = shape(problem, n)
    x, y = jnp.full(nx, x0), jnp.zeros(ny)
    return lambda count: float(run(count, x, y, y))


if __name__ == "__main__":
    measure(start)
