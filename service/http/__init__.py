"""The HTTP service. Imported only by ``yomitori serve``: the web framework takes a while to import."""
