"""Code that runs without the rights of root, for whom no folder is closed."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.support.environment import child_environment

_PROGRAM = """
{imports}
import os, tempfile
from pathlib import Path
if os.getuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
with tempfile.TemporaryDirectory() as name:
    home, locked = Path(name) / "home", Path(name) / "locked"
    locked.mkdir()
    (locked / "secret").write_bytes(b"secret")
    (locked / "secret").chmod(0)
    os.environ["YOMITORI_HOME"] = str(home)
    try:
{code}
    finally:
        locked.chmod(0o700)
"""


def run_as_ordinary_user(imports: str, code: str) -> subprocess.CompletedProcess[str]:
    """Run ``imports``, become ``nobody`` if this is root, then run ``code``.

    ``code`` has two paths: ``home``, where files may be kept, and the folder ``locked``, which is not
    locked yet, with the file ``secret`` of mode 0 in it. All that is needed must be imported by
    ``imports``: the repository may be out of reach of the other user.
    """
    indented = "\n".join(f"        {line}" for line in code.strip().splitlines())
    return subprocess.run(
        [sys.executable, "-c", _PROGRAM.format(imports=imports, code=indented)],
        env=child_environment(os.environ),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
