#!/bin/sh
# Write requirements.txt (what running needs) and requirements-dev.txt (that, and what testing needs) from
# what is installed in the environment: names and versions only.
set -eu
"$1/bin/python" - <<'PY'
import importlib.metadata as metadata
import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement

project = tomllib.loads(Path("pyproject.toml").read_text())


def closure(lines):
    # Each with the extras that whoever requires it was asked for: those decide whether it is needed.
    found, queue = {}, [(Requirement(line), frozenset()) for line in lines]
    while queue:
        wanted, extras = queue.pop()
        if wanted.marker and not any(wanted.marker.evaluate({"extra": e}) for e in (*extras, "")):
            continue
        name = re.sub(r"[-_.]+", "-", wanted.name).lower()
        if name in found:
            continue
        distribution = metadata.distribution(name)
        # Which build (such as 2.13.0+cpu) is the installer's choice.
        found[name] = distribution.version.split("+")[0]
        queue += [(Requirement(line), frozenset(wanted.extras)) for line in distribution.requires or ()]
    return found


models = project["project"]["optional-dependencies"]["models"]
run = closure(project["project"]["dependencies"] + models)
dev = closure(project["dependency-groups"]["dev"])
head = "# Locked versions; written by 'make lock'.\n"
Path("requirements.txt").write_text(head + "".join(f"{n}=={v}\n" for n, v in sorted(run.items())))
only_dev = {n: v for n, v in dev.items() if n not in run}
Path("requirements-dev.txt").write_text(
    head + "-r requirements.txt\n" + "".join(f"{n}=={v}\n" for n, v in sorted(only_dev.items()))
)
PY
