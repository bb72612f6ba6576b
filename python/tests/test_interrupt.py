"""The interrupt key ends a run, which returns what it has; other threads go on meanwhile."""

import os
import signal
import threading
import time

import blo
import pytest

from test_solve import ENDLESS, PARABOLA

needs_signals = pytest.mark.skipif(os.name == "nt", reason="a process of Windows cannot send itself the key")


@pytest.fixture(autouse=True)
def key_is_heard():
    """A shell starts what runs in the background without the interrupt key; Python then leaves it alone."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def press_after(seconds):
    threading.Timer(seconds, lambda: os.kill(os.getpid(), signal.SIGINT)).start()


@needs_signals
def test_the_interrupt_key_returns_the_result_so_far():
    press_after(0.5)
    solution = blo.load(PARABOLA).solve(**ENDLESS)
    assert solution.status == "interrupted" == solution.to_dict()["status"]
    assert solution.iterations > 0 and solution.x.shape == ()


@needs_signals
def test_the_interrupt_key_within_a_callback():
    def interrupted(row):
        if row["iteration"] == 10:
            raise KeyboardInterrupt

    solution = blo.load(PARABOLA).solve(callback=interrupted, **ENDLESS)
    assert solution.status == "interrupted" and solution.iterations >= 10


@needs_signals
def test_the_interrupt_key_ends_a_comparison():
    press_after(0.5)
    options = {name: value for name, value in ENDLESS.items() if name != "method"}
    comparison = blo.load(PARABOLA).compare(["meha", "meha"], **options)
    assert comparison[0].solution.status == "interrupted"
    assert len(comparison) == 2


@needs_signals
def test_what_another_signal_raises_is_raised():
    class Late(Exception):
        pass

    def late(*_):
        raise Late

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, 0.3)
    try:
        with pytest.raises(Late):
            blo.load(PARABOLA).solve(**ENDLESS)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_the_interpreter_is_released():
    enough = threading.Event()
    found = []

    def solve():
        # the callback runs on the thread that has called
        own = threading.get_ident()

        def each(row):
            assert threading.get_ident() == own
            return not enough.is_set()

        found.append(blo.load(PARABOLA).solve(callback=each, row_every=100_000, **ENDLESS))

    thread = threading.Thread(target=solve)
    thread.start()
    counted = 0
    until = time.monotonic() + 0.5
    while time.monotonic() < until:
        counted += 1
        time.sleep(0.001)
    enough.set()
    thread.join(timeout=60)
    assert not thread.is_alive() and found[0].status == "stopped"
    # this thread was not held up for as long as the run took
    assert counted > 20
