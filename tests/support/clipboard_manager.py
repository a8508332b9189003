"""A clipboard manager for tests: owns CLIPBOARD_MANAGER, and keeps the text when asked to (SAVE_TARGETS).

Started as a program on an X server; it prints "ready", then serves the saved text until it is ended.
``--greedy`` takes the clipboard over from every owner, with the owner's text; ``--thief`` with its own.
"""

from __future__ import annotations

import sys

import xcffib
import xcffib.xfixes
import xcffib.xproto as xp


def _main() -> None:
    connection = xcffib.connect()
    core, screen = connection.core, connection.setup.roots[0]

    def atom(name: str) -> int:
        return int(core.InternAtom(False, len(name), name).reply().atom)

    window = connection.generate_id()
    core.CreateWindow(
        0, window, screen.root, 0, 0, 1, 1, 0, xp.WindowClass.InputOnly, screen.root_visual, 0, []
    )
    clipboard, utf8, stash = atom("CLIPBOARD"), atom("UTF8_STRING"), atom("_SAVED")
    core.SetSelectionOwner(window, atom("CLIPBOARD_MANAGER"), xp.Time.CurrentTime)
    greedy, thief = "--greedy" in sys.argv, "--thief" in sys.argv
    if greedy or thief:
        fixes = connection(xcffib.xfixes.key)
        fixes.QueryVersion(5, 0).reply()
        fixes.SelectSelectionInput(screen.root, clipboard, xcffib.xfixes.SelectionEventMask.SetSelectionOwner)
    connection.flush()
    print("ready", flush=True)
    saved, pending = b"stolen", None

    def answer(request: xp.SelectionRequestEvent, prop: int) -> None:
        event = xp.SelectionNotifyEvent.synthetic(
            request.time, request.requestor, request.selection, request.target, prop
        )
        core.SendEvent(False, request.requestor, 0, event.pack())

    while True:
        event = connection.wait_for_event()
        if isinstance(event, xp.SelectionRequestEvent):
            if event.selection == clipboard:
                core.ChangeProperty(
                    xp.PropMode.Replace, event.requestor, event.property, utf8, 8, len(saved), saved
                )
                answer(event, event.property)
            else:
                pending = event
                core.ConvertSelection(window, clipboard, utf8, stash, event.time)
        elif isinstance(event, xcffib.xfixes.SelectionNotifyEvent):
            if event.owner in (window, 0):
                continue
            if greedy:
                core.ConvertSelection(window, clipboard, utf8, stash, event.timestamp)
            else:
                core.SetSelectionOwner(window, clipboard, xp.Time.CurrentTime)
        elif isinstance(event, xp.SelectionNotifyEvent):
            found = core.GetProperty(True, window, stash, xp.GetPropertyType.Any, 0, 1 << 20).reply()
            saved = bytes(found.value.buf())
            core.SetSelectionOwner(window, clipboard, xp.Time.CurrentTime)
            if pending is not None:
                answer(pending, pending.property)
                pending = None
        connection.flush()


if __name__ == "__main__":
    _main()
