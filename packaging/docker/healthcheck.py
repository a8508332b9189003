#!/usr/bin/env python3
"""Whether the service in this container answers: exit code 0, or 1 and why not on stderr."""

import os
import sys
import urllib.request

TIMEOUT = 4.0


def main() -> int:
    url = f"http://127.0.0.1:{os.environ.get('YOMITORI_SERVICE_PORT') or 9100}/health"
    # Whatever proxy the environment names is for what lies outside.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=TIMEOUT) as answer:
            answer.read()
    except (OSError, ValueError) as error:
        sys.stderr.write(f"{url}: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
