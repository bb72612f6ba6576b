"""Runs the lines of docs/book/src/editors.md in the editors that are there, and asks each what a user asks.

    python tests/editors/check.py BLO [EDITOR...]

BLO is the command. An editor is `neovim` or `emacs`; without one both are run. Neovim is `nvim` of PATH, or of $NVIM;
Emacs is `emacs`. What is missing or too old is passed over with a line that says so.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
PAGE = os.path.join(HERE, "..", "..", "docs", "book", "src", "editors.md")

# a letter of two bytes and one of two units of UTF-16, for positions; `β` is not declared, `sum(y.^2)` has an edit that
# is safe, and the layout is not that of `blo fmt`
PROBLEM = """\
param n = 3
# 🦀 note
upper { var α[n] in [0, 1]
  minimize normsq(α - 1) }  # 🦀
lower {
    var y[n]
  minimize normsq(y - β)
}
"""


def lines_of(section, language):
    """The block of the page in a language under a heading."""
    with open(PAGE, encoding="utf-8") as page:
        text = page.read()
    text = re.search(rf"^## {section}\n(.*?)(?=^## |\Z)", text, re.S | re.M)
    block = text and re.search(rf"^```{language}\n(.*?)^```", text.group(1), re.S | re.M)
    if not block:
        sys.exit(f"docs/book/src/editors.md has no block of {language} under `{section}`")
    return block.group(1)


def home(blo):
    """A folder that an editor takes for the user's, with a problem and the command on PATH."""
    place = tempfile.mkdtemp(prefix="blo-editors-")
    for folder in ("bin", "work", "config", "state", "share", "cache"):
        os.makedirs(os.path.join(place, folder))
    os.symlink(os.path.realpath(blo), os.path.join(place, "bin", "blo"))
    with open(os.path.join(place, "work", "p.blo"), "w", encoding="utf-8") as file:
        file.write(PROBLEM)
    with open(os.path.join(place, "work", "t.csv"), "w", encoding="utf-8") as file:
        file.write("u,v\n1,2\n3,4\n")
    environment = dict(os.environ, HOME=place, LC_ALL="C.UTF-8")
    environment["PATH"] = os.path.join(place, "bin") + os.pathsep + environment["PATH"]
    for kind, folder in (("CONFIG", "config"), ("STATE", "state"), ("DATA", "share"), ("CACHE", "cache")):
        environment[f"XDG_{kind}_HOME"] = os.path.join(place, folder)
    return place, environment


def run(name, blo, section, language, initial, command):
    """Writes the lines of the page where the editor reads them, and runs the editor; true if all is well."""
    place, environment = home(blo)
    try:
        initial = os.path.join(place, initial)
        os.makedirs(os.path.dirname(initial), exist_ok=True)
        with open(initial, "w", encoding="utf-8") as file:
            file.write(lines_of(section, language))
        work = os.path.join(place, "work")
        done = subprocess.run(command(initial), cwd=work, env=environment, timeout=300, stdin=subprocess.DEVNULL)
        if done.returncode:
            print(f"{name}: ended with {done.returncode}")
        return done.returncode == 0
    finally:
        shutil.rmtree(place, ignore_errors=True)


def says(command):
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=60).stdout
    except OSError:
        return ""


def neovim(blo):
    nvim = os.environ.get("NVIM") or shutil.which("nvim")
    found = re.search(r"NVIM v(\d+)\.(\d+)\S*", says([nvim, "--version"]) if nvim else "")
    if not found or (int(found[1]), int(found[2])) < (0, 11):
        print(f"SKIPPED: Neovim: there is {found[0] if found else 'none'}, and the page is for 0.11")
        return True
    print(f"Neovim: {found[0]}")
    driver = os.path.join(HERE, "neovim.lua")
    return run("Neovim", blo, "Neovim", "lua", "config/nvim/init.lua",
               lambda initial: [nvim, "--clean", "--headless", "-l", driver, nvim, initial])


def emacs(blo):
    there = "(progn (require 'eglot) (princ emacs-version))"
    version = says(["emacs", "--batch", "--eval", there]) if shutil.which("emacs") else ""
    if not version:
        print("SKIPPED: Emacs: there is none that has eglot")
        return True
    print(f"Emacs: {version}")
    driver = os.path.join(HERE, "emacs.el")
    return run("Emacs", blo, "Emacs", "elisp", "init.el",
               lambda initial: ["emacs", "--batch", "-l", initial, "-l", driver])


EDITORS = {"neovim": neovim, "emacs": emacs}


def main():
    blo, wanted = sys.argv[1], sys.argv[2:] or list(EDITORS)
    wrong = [name for name in wanted if not EDITORS[name](blo)]
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
