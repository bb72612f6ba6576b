"""How long `blo lsp` takes to answer on a program of 1000 lines, request by request.

    python3 benches/lsp.py target/release/blo [REPEATS]

Each request is sent alone; its time is from the last byte of the question to the last byte of the answer. `first` is right
after the text was opened, while the server checks it; `typed` right after a character was typed, so that the words of the
text are read again; `later` with nothing else going on. Times are milliseconds, medians of REPEATS and the worst.
"""

import json
import statistics
import subprocess
import sys
import time

LINES = 1000
URI = "file:///bench/large.blo"


def program():
    """Names that use each other, with comments, and levels that use them: 1000 lines."""
    lines = ["## A program of 1000 lines.", "problem large (edition = 1)", "param n = 20"]
    lines += ["fn soft(t) = log(1 + exp(t))"]
    count = (LINES - len(lines) - 20) // 2
    for i in range(count):
        before = f"c{i - 1}" if i else "1"
        lines += [f"# the {i}th constant, with what it is for", f"let c{i} = sqrt(1 + ({before})^2/{i + 2}) + soft(0.01*{i})"]
    lines += ["upper {", "  var x[n] in [-1, 1]"]
    lines += [f"  minimize normsq(x) + c{count - 1}*sum(y)", "}"]
    lines += ["lower {", "  var y[n]"]
    lines += [f"  minimize 1/2*normsq(y - x) + c{count // 2}*normsq(y)", "}"]
    while len(lines) < LINES:
        lines.append("# the rest")
    return "\n".join(lines) + "\n", count


class Client:
    def __init__(self, blo):
        self.process = subprocess.Popen([blo, "lsp"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.count = 0

    def send(self, message):
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.process.stdin.flush()

    def notify(self, method, params):
        self.send({"method": method, "params": params})

    def read(self):
        length = 0
        while (line := self.process.stdout.readline()) != b"\r\n":
            if not line:
                raise SystemExit("the server has ended")
            name, value = line.split(b":")
            length = int(value) if name.lower() == b"content-length" else length
        return json.loads(self.process.stdout.read(length))

    def wait(self, wanted):
        while not wanted(message := self.read()):
            pass
        return message

    def ask(self, method, params):
        """The answer and the milliseconds until it was here."""
        self.count += 1
        number = self.count
        begun = time.perf_counter()
        self.send({"id": number, "method": method, "params": params})
        answer = self.wait(lambda m: m.get("id") == number)
        taken = 1000 * (time.perf_counter() - begun)
        if "error" in answer:
            raise SystemExit(f"{method}: {answer['error']}")
        return answer["result"], taken

    def checked(self):
        """Waits for the findings of the newest text."""
        self.wait(lambda m: m.get("method") == "textDocument/publishDiagnostics")


def requests(text, count):
    """Each with what it asks, about names in the middle of the text."""
    lines = text.split("\n")
    row = next(i for i, line in enumerate(lines) if line.startswith(f"let c{count // 2} "))
    document = {"textDocument": {"uri": URI}}
    at = {**document, "position": {"line": row, "character": lines[row].index("sqrt") + 1}}
    name = {**document, "position": {"line": row, "character": 5}}
    everything = {"start": {"line": 0, "character": 0}, "end": {"line": len(lines), "character": 0}}
    return {
        "textDocument/hover": at,
        "textDocument/completion": at,
        "textDocument/signatureHelp": {**at, "position": {"line": row, "character": lines[row].index("(") + 1}},
        "textDocument/definition": name,
        "textDocument/references": {**name, "context": {"includeDeclaration": True}},
        "textDocument/documentHighlight": name,
        "textDocument/prepareRename": name,
        "textDocument/rename": {**name, "newName": "renamed"},
        "textDocument/formatting": {**document, "options": {"tabSize": 2, "insertSpaces": True}},
        "textDocument/documentSymbol": document,
        "textDocument/semanticTokens/full": document,
        "textDocument/codeAction": {**document, "range": everything, "context": {"diagnostics": []}},
    }


def main():
    blo, repeats = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 7
    text, count = program()
    asked = requests(text, count)
    times = {method: {"first": [], "typed": [], "later": []} for method in asked}
    for repeat in range(repeats):
        for method, params in asked.items():
            client = Client(blo)
            client.ask("initialize", {"processId": None, "rootUri": None, "capabilities": {}})
            client.notify("initialized", {})
            client.notify(
                "textDocument/didOpen",
                {"textDocument": {"uri": URI, "languageId": "blo", "version": 1, "text": text}},
            )
            times[method]["first"].append(client.ask(method, params)[1])
            client.checked()
            times[method]["later"].append(client.ask(method, params)[1])
            end = {"line": LINES + 5, "character": 0}
            change = {"range": {"start": end, "end": end}, "text": "#"}
            client.notify(
                "textDocument/didChange",
                {"textDocument": {"uri": URI, "version": 2}, "contentChanges": [change]},
            )
            times[method]["typed"].append(client.ask(method, params)[1])
            client.ask("shutdown", None)
            client.notify("exit", None)
            client.process.wait()
    print(f"{len(text.splitlines())} lines, {len(text)} bytes; milliseconds, median and worst of {repeats}")
    print(f"{'request':34}{'first':>14}{'typed':>14}{'later':>14}")
    worst = 0.0
    for method, of in times.items():
        cells = [f"{statistics.median(of[k]):6.1f} {max(of[k]):6.1f}" for k in ("first", "typed", "later")]
        worst = max([worst] + [max(of[k]) for k in of])
        print(f"{method.removeprefix('textDocument/'):34}" + "".join(f"{cell:>14}" for cell in cells))
    print(f"worst: {worst:.1f}")


main()
