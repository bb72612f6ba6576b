"""How exported programs grow with the rows of the data, on one device and on eight virtual ones of a CPU.

    python benches/exports.py target/release/blo

Prints a table: megabytes per device of the data and the state, megabytes of what an iteration needs beside them as XLA
plans it, and milliseconds per iteration. Needs jax and numpy. The data are the images in specs/data; virtual devices share
the cores of the machine, so that times on eight of them tell only that nothing is lost.
"""
import json
import os
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SPEC = os.path.join(ROOT, "specs", "cleaning_softmax.blo")
METHODS = [("meha:tuned", []), ("rhg:plain", ["--set", "K=20"])]
ROWS = [96, 384, 1536]
MEASURE = """
import json, sys, time
sys.path.insert(0, {folder!r})
import jax, run
config = run.Config()
state, data = run.begin(config)
kept = sum(array.addressable_shards[0].data.nbytes for array in jax.tree.leaves((state, data)))
beside = run.advance.lower(state, data, 1, 2, config).compile().memory_analysis().temp_size_in_bytes
state = jax.block_until_ready(run.advance(state, data, 1, 1, config))
start = time.perf_counter()
jax.block_until_ready(run.advance(state, data, 2, 11, config))
print(json.dumps([kept / 1e6, beside / 1e6, (time.perf_counter() - start) * 100]))
"""


def measured(folder, devices):
    flags = f"--xla_force_host_platform_device_count={devices}"
    environment = {**os.environ, "JAX_PLATFORMS": "cpu", "XLA_FLAGS": flags}
    line = [sys.executable, "-c", MEASURE.format(folder=folder)]
    done = subprocess.run(line, capture_output=True, text=True, env=environment, check=True)
    return json.loads(done.stdout.strip().splitlines()[-1])


def main():
    blo = os.path.abspath(sys.argv[1])
    print("| method | rows | devices | data and state, MB | beside them, MB | ms |")
    print("|---|---:|---:|---:|---:|---:|")
    for method, flags in METHODS:
        for rows in ROWS:
            with tempfile.TemporaryDirectory() as folder:
                line = [blo, "export", "jax", SPEC, "-m", method, "-D", f"examples={rows}", "--set", "polish=0", *flags]
                out = os.path.join(folder, "run.py")
                subprocess.run([*line, "--iterations", "2", "-o", out], capture_output=True, check=True)
                for devices in (1, 8):
                    kept, beside, time = measured(folder, devices)
                    print(f"| {method} | {rows} | {devices} | {kept:.2f} | {beside:.2f} | {time:.1f} |", flush=True)


if __name__ == "__main__":
    main()
