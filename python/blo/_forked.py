"""Processes that were forked after a run, as `multiprocessing` does on Linux: the threads of the engine stay behind, so that
a run there has one. Threads change no bit of a result."""

from __future__ import annotations

import os

from ._found import wrong_argument

_forked = False


def _after_fork() -> None:
    global _forked
    _forked = True


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def threads_after_fork(options: dict[str, str]) -> None:
    """Lets a run in a forked process have one thread."""
    if _forked and options.setdefault("threads", "1") != "1":
        raise wrong_argument(
            f"the option `threads` is {options['threads']} in a process that was forked",
            'leave `threads` out, or start processes with multiprocessing.get_context("spawn")',
        )
