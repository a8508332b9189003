#!/bin/sh
# Write requirements.txt (what running needs), requirements-dev.txt (that, and what testing needs) and
# requirements-service.txt (what the HTTP service needs, with its models and without a desktop) from what is
# installed in the environment: names and versions only.
set -eu
"$1/bin/python" - <<'PY'
import importlib.metadata as metadata
import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement

DESKTOP = {"pyside6-essentials", "mss", "xcffib"}
# What the tests compare with, and a dictionary of 250 MB for it.
REFERENCE = {"manga-ocr"}

project = tomllib.loads(Path("pyproject.toml").read_text())


def name_of(requirement):
    return re.sub(r"[-_.]+", "-", requirement.name).lower()


def closure(lines, without=frozenset()):
    # Each with the extras that whoever requires it was asked for: those decide whether it is needed.
    found, queue = {}, [(Requirement(line), frozenset()) for line in lines]
    while queue:
        wanted, extras = queue.pop()
        if wanted.marker and not any(wanted.marker.evaluate({"extra": e}) for e in (*extras, "")):
            continue
        name = name_of(wanted)
        if name in found or name in without:
            continue
        distribution = metadata.distribution(name)
        # Which build (such as 2.13.0+cpu) is the installer's choice.
        found[name] = distribution.version.split("+")[0]
        queue += [(Requirement(line), frozenset(wanted.extras)) for line in distribution.requires or ()]
    return found


def write(name, locked, first=""):
    head = "# Locked versions; written by 'make lock'.\n" + first
    Path(name).write_text(head + "".join(f"{n}=={v}\n" for n, v in sorted(locked.items())))


base = project["project"]["dependencies"]
extras = project["project"]["optional-dependencies"]
service = extras.get("service", [])
run = closure(base + extras["models"] + service)
dev = closure(project["dependency-groups"]["dev"])
write("requirements.txt", run)
write("requirements-dev.txt", {n: v for n, v in dev.items() if n not in run}, "-r requirements.txt\n")
write("requirements-service.txt", closure(base + extras["models"] + service, DESKTOP | REFERENCE))
PY
