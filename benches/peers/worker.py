"""A process that holds one compiled program of JAX and runs it as often as it is told. Started by harness.py, which has set
the threads; one JSON object per line on standard output: first its version, then an answer per length on standard input.
With `files` in the place of a precision it writes the data files of the problem and ends. What is imported here is so not
in the process that starts all others, whose memory would count as theirs."""

import importlib
import json
import pathlib
import resource
import sys
import time


def main():
    name, size, precision, folder = sys.argv[1], json.loads(sys.argv[2]), sys.argv[3], pathlib.Path(sys.argv[4])
    problem = importlib.import_module(name)
    if precision == "files":
        return problem.files(folder, size)
    import jax

    jax.config.update("jax_enable_x64", precision == "f64")
    jax.config.update("jax_platforms", "cpu")
    dtype = {"f32": "float32", "f64": "float64"}[precision]
    state, data, step, objective = problem.jax_program(size, dtype, folder)

    @jax.jit
    def run(count, state, data):
        state = jax.lax.fori_loop(0, count, lambda k, state: step(k, state, data), state)
        return objective(state, data)

    compiled = run.lower(1, state, data).compile()
    print(json.dumps({"version": jax.__version__}), flush=True)
    for line in sys.stdin:
        begun, cpu = time.perf_counter(), time.process_time()
        value = float(compiled(int(line), state, data))
        seconds, cpu = time.perf_counter() - begun, time.process_time() - cpu
        memory = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        print(json.dumps({"seconds": seconds, "cpu": cpu, "objective": value, "memory": memory}), flush=True)


if __name__ == "__main__":
    main()
