"""Models on this computer: what there is, where it lies, how it gets here, how it is kept and removed.

Front ends hold a ``ModelLibrary``. Everything that talks to a hub, hashes, converts or deletes runs in a
model process (``hub_engine``), so the modules a front end imports are cheap.
"""
