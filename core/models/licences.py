"""Which licences let anybody use a model for anything.

Hubs write SPDX identifiers in lower case, and names of their own for the rest ("other", "llama3",
"creativeml-openrail-m"). Open here means: approved by the OSI or the FSF, or a Creative Commons or data
licence without conditions on use. Everything else is shown and accepted before a download.
"""

from __future__ import annotations

NOT_STATED = "not stated"
"""What is shown where a hub's page names no licence."""

# fmt: off
_OPEN = frozenset((
    "0bsd", "afl-3.0", "agpl-3.0", "apache-2.0", "artistic-2.0", "blueoak-1.0.0", "bsd", "bsd-2-clause",
    "bsd-3-clause", "bsl-1.0", "cc-by-1.0", "cc-by-2.0", "cc-by-2.5", "cc-by-3.0", "cc-by-4.0",
    "cc-by-sa-3.0", "cc-by-sa-4.0", "cc0-1.0", "cdla-permissive-1.0", "cdla-permissive-2.0", "cecill-2.1",
    "ecl-2.0", "epl-1.0", "epl-2.0", "eupl-1.1", "eupl-1.2", "gpl", "gpl-2.0", "gpl-3.0", "isc", "lgpl",
    "lgpl-2.1", "lgpl-3.0", "lppl-1.3c", "mit", "mit-0", "mpl-2.0", "ms-pl", "mulanpsl-2.0", "ncsa",
    "odc-by", "ofl-1.1", "osl-3.0", "pddl", "postgresql", "python-2.0", "unlicense", "upl-1.0", "wtfpl",
    "zlib",
))
# fmt: on
_SUFFIXES = ("-only", "-or-later")


def is_open(licence: str) -> bool:
    """Whether ``licence`` (an SPDX identifier in any case) is an open one."""
    name = licence.strip().lower()
    for suffix in _SUFFIXES:
        name = name.removesuffix(suffix)
    return name in _OPEN
