"""Starts microburst so that it keeps the client's Host header: a signature is made over it, and the emulator checks it.

Run by microburst's own Python: keep_host.py --port 9999 --upstream http://127.0.0.1:4566
"""

import sys

from microburst import forward

forwarder = next(c for c in vars(forward).values() if isinstance(c, type) and "_outbound_headers" in vars(c))
rewrite = forwarder._outbound_headers


def keep_host(self, request):
    headers = rewrite(self, request)
    headers["host"] = request.headers.get("Host", headers["host"])
    return headers


forwarder._outbound_headers = keep_host

# After the patch, so that the command uses it.
from microburst.cli import main  # noqa: E402

sys.exit(main())
