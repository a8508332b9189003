"""Stands for ``yomitori serve`` as the tray starts it: ``fake_serve.py FOLDER [FLAGS]``.

Each start adds a row with its flags to FOLDER/starts, each row that comes on stdin one to FOLDER/orders.
FOLDER/does says how it goes: nothing (it serves), ``crash``, ``refuse``, ``deaf`` (its stdin may end).
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from core.service_errors import AddressUnusable

folder = Path(sys.argv[1])


def note(name: str, text: str) -> None:
    with (folder / name).open("a") as file:
        file.write(text + "\n")


does = (folder / "does").read_text() if (folder / "does").exists() else ""
note("starts", " ".join(sys.argv[2:]))
sys.stderr.write('{"level": "info", "message": "hello"}\nplain words\n')
sys.stderr.flush()
if does == "refuse":
    error = AddressUnusable(host="127.0.0.1", port=9100, reason="taken")
    print(json.dumps(error.to_json()), flush=True)
    sys.exit(error.exit_code)
print(json.dumps({"address": "http://127.0.0.1:9100", "token_source": str(folder / "token")}), flush=True)
if does == "crash":
    sys.exit(7)
for row in sys.stdin:
    note("orders", row.strip())
    if row.strip() == "token":
        print(json.dumps({"token": "the-token"}), flush=True)
note("ends", "")
if does == "deaf":
    time.sleep(600)
