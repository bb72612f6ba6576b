"""Reads what only a hosting service reads otherwise: workflows, issue forms and CITATION.cff.

    python tests/python/check_metadata.py

Needs PyYAML.
"""
import glob
import os
import re
import subprocess
import sys

import yaml

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# who makes the actions that we use, in which versions
ACTIONS = {
    "actions/checkout": "v5",
    "actions/upload-artifact": "v4",
    "actions/download-artifact": "v5",
    "actions/upload-pages-artifact": "v4",
    "actions/deploy-pages": "v4",
}
FAULTS = []


def fault(where, what):
    FAULTS.append(f"{where}: {what}")


def read(path):
    """A YAML file; a key that stands twice is a fault."""

    class Loader(yaml.SafeLoader):
        pass

    def mapping(loader, node):
        keys = [key.value for key, _ in node.value]
        for key in {key for key in keys if keys.count(key) > 1}:
            fault(path, f"`{key}` stands twice")
        return yaml.SafeLoader.construct_mapping(loader, node, deep=True)

    Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, mapping)
    # `on` is a key of workflows and a boolean of YAML 1.1
    Loader.yaml_implicit_resolvers = {
        first: [(tag, words) for tag, words in some if tag != "tag:yaml.org,2002:bool"]
        for first, some in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    with open(os.path.join(ROOT, path)) as file:
        return yaml.load(file, Loader)


def step(where, text):
    """A step is shell that parses, and the scripts of the repository that it runs are there."""
    plain = re.sub(r"\$\{\{.*?\}\}", "word", text)
    done = subprocess.run(["bash", "-n"], input=plain, capture_output=True, text=True)
    if done.returncode:
        fault(where, done.stderr.strip())
    for script in re.findall(r"(?<![\w/])\.ci/\w+", plain):
        if not os.access(os.path.join(ROOT, script), os.X_OK):
            fault(where, f"there is no script {script}")


def workflow(path):
    flow = read(path)
    for key in ("name", "on", "permissions", "concurrency", "jobs"):
        if key not in flow:
            fault(path, f"there is no `{key}`")
    if flow.get("permissions") != {"contents": "read"}:
        fault(path, "a workflow may read contents; a job that needs more says so")
    for name, job in flow["jobs"].items():
        where = f"{path}, {name}"
        if "timeout-minutes" not in job:
            fault(where, "there is no `timeout-minutes`")
        needs = job.get("needs", [])
        for other in [needs] if isinstance(needs, str) else needs:
            if other not in flow["jobs"]:
                fault(where, f"it needs a job `{other}`")
        matrix = job.get("strategy", {}).get("matrix", {})
        known = set(matrix) | {key for entry in matrix.get("include", []) for key in entry}
        for key in re.findall(r"matrix\.(\w+)", str(job)):
            if key not in known:
                fault(where, f"the matrix has no `{key}`")
        for one in job["steps"]:
            if ("uses" in one) == ("run" in one):
                fault(where, f"a step runs or uses something: {one}")
            if "uses" in one:
                action, _, version = one["uses"].partition("@")
                if ACTIONS.get(action) != version:
                    fault(where, f"`{one['uses']}` is not among the actions of tests/python/check_metadata.py")
            else:
                step(where, one["run"])


def form(path):
    issue = read(path)
    for key in ("name", "description", "body"):
        if not issue.get(key):
            fault(path, f"there is no `{key}`")
    identities = [part.get("id") for part in issue["body"]]
    if len(set(identities)) != len(identities) or None in identities:
        fault(path, "every part has an `id` of its own")
    for part in issue["body"]:
        if part["type"] not in ("input", "textarea", "dropdown", "checkboxes") or not part["attributes"].get("label"):
            fault(path, f"a part has a type and a label: {part}")


def citation(path):
    cited = read(path)
    for key in ("cff-version", "message", "title", "authors", "version", "date-released"):
        if key not in cited:
            fault(path, f"there is no `{key}`")
    if cited.get("cff-version") != "1.2.0":
        fault(path, "the format is 1.2.0")
    for paper in cited.get("references", []):
        for key in ("type", "title", "authors", "year"):
            if key not in paper:
                fault(path, f"a reference has no `{key}`: {paper.get('title')}")


def main():
    checked = 0
    for pattern, check in (
        (".github/workflows/*.yml", workflow),
        (".github/ISSUE_TEMPLATE/[0-9]*.yml", form),
        ("CITATION.cff", citation),
    ):
        paths = sorted(glob.glob(os.path.join(ROOT, pattern)))
        if not paths:
            fault(pattern, "there is no such file")
        for path in paths:
            check(os.path.relpath(path, ROOT))
            checked += 1
    for script in sorted(glob.glob(os.path.join(ROOT, ".ci", "*"))):
        if subprocess.run(["bash", "-n", script]).returncode or not os.access(script, os.X_OK):
            fault(os.path.relpath(script, ROOT), "it is not a script that can be run")
    print("\n".join(FAULTS) if FAULTS else f"{checked} files of workflows, forms and the citation are well formed")
    return 1 if FAULTS else 0


if __name__ == "__main__":
    sys.exit(main())
