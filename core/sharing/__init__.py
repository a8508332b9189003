"""One engine for all programs of a user, so that weights are loaded once (``docs/decisions/015``)."""
