"""The two problems of the speed table and their constants, shared by the peers: MEHA on equations (18) and (19) of
Liu, Liu, Yao, Zeng, Zhang, ICML 2024, with the constants of the presets `tuned` in specs/meha_eq18.blo and
specs/meha_eq19.blo. In eq. (19) the x-step is divided by n: the gradient in x is a sum of n terms."""

import argparse
import json
import time

# problem -> sizes of the speed table
SIZES = {"eq18": [1000, 100_000], "eq19": [1, 10, 100, 1000, 10_000, 100_000]}


def constants(problem, n):
    """alpha, beta, eta, gamma, c, p"""
    if problem == "eq18":
        return 0.554, 0.171, 0.353, 6.68, 0.1, 0.454
    return 0.05 / n, 0.05, 0.05, 0.3, 1.0, 0.49


def shape(problem, n):
    """(length of x, length of y, start of x)"""
    return (n, 2 * n, 0.0) if problem == "eq18" else (1, n, -6.0)


def objectives(xp):
    """Upper and lower objective per problem, for an array library."""

    def upper18(x, y):
        n = x.shape[0]
        return 0.5 * xp.sum((x - y[n:]) ** 2) + 0.5 * xp.sum((y[:n] - 1) ** 2)

    def lower18(x, y):
        n = x.shape[0]
        return 0.5 * xp.sum(y[:n] ** 2) - xp.sum(x * y[:n])

    def upper19(x, y):
        return xp.sum((x - 2) ** 2) + xp.sum((y - 4) ** 2)

    def lower19(x, y):
        return xp.sum(xp.sin(x + y - 2))

    return {"eq18": (upper18, lower18), "eq19": (upper19, lower19)}


def measure(start):
    """Runs every row of the table. `start(problem, n)` gives a function from a number of iterations to the upper
    objective after them, which returns when the work is done. One JSON object per row on stdout."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--check", type=int, default=100, help="iterations after which objectives are compared")
    arguments.add_argument("--seconds", type=float, default=0.5, help="length of one measurement")
    arguments = arguments.parse_args()
    for problem, sizes in SIZES.items():
        for n in sizes:
            run = start(problem, n)
            upper = run(arguments.check)
            count, spent = 1, 0.0
            while spent < 0.2 * arguments.seconds:
                count *= 4
                begun = time.perf_counter()
                run(count)
                spent = time.perf_counter() - begun
            count = max(1, int(count * arguments.seconds / spent))
            best = float("inf")
            for _ in range(3):
                begun = time.perf_counter()
                run(count)
                best = min(best, (time.perf_counter() - begun) / count)
            print(json.dumps({"problem": problem, "n": n, "us": 1e6 * best, "upper": upper}), flush=True)
