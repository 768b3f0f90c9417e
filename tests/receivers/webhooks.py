"""What we sign, checked by the official Standard Webhooks library of another language.

    webhooks.py PATH/TO/leadyard

Runs the program with one dealer whose webhook leads here, posts leads, and verifies what arrives: with the
secret the dealer was shown, with the old and the new one while it rotates, and with nothing else.
"""

import base64
import http.server
import json
import pathlib
import queue
import subprocess
import sys
import tempfile
import threading
import urllib.error
import urllib.request

from standardwebhooks import Webhook, WebhookVerificationError

WAIT_S = 120
received: queue.Queue = queue.Queue()


class Dealer(http.server.BaseHTTPRequestHandler):
    """Takes whatever comes."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        received.put((body, {name.lower(): value for name, value in self.headers.items()}))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


def rulebook(folder, port):
    files = {
        "company.toml": 'id = "acme"\nname = "Acme"\nzone = "America/New_York"\n',
        "offers.toml": '[[offer]]\nid = "roof"\ncategory = "roofing"\nname = "Roof"\n',
        "sources.toml": '[[source]]\nid = "web"\nkind = "form"\noffer = "roof"\n',
        "scoring.toml": (
            'half_life_days = 14\n[[fit]]\nlabel = "can be written to"\npoints = 20\nhas = ["email"]\n'
            "[interactions]\nenquiry = { points = 10, daily_cap = 3 }\n"
            "[bands.fit]\nA = 40\nB = 10\n[bands.engagement]\n1 = 40\n2 = 1\n"
        ),
        "dealers.csv": "dealer,name,zip\nhudson,Hudson,33101\n",
        "channels.csv": f"dealer,order,kind,address\nhudson,1,webhook,http://127.0.0.1:{port}/leads\n",
        "areas.csv": "area,part\neverywhere,any\n",
        "contracts.csv": "contract,dealer,offers,sources,area,price\nhudson,hudson,*,*,everywhere,10.00\n",
    }
    for name, text in files.items():
        (folder / name).write_text(text)


def post(ready, path, token, body=None):
    request = urllib.request.Request(
        ready["url"].rstrip("/") + path,
        data=json.dumps(body or {}).encode(),
        headers={"authorization": f"Bearer {token}", "content-type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=WAIT_S) as answer:
        return json.load(answer)


def lead(ready, number):
    """A lead comes in; what the dealer was sent of it."""
    source = ready["sources"][0]
    # Not ASCII: what is signed is bytes, not characters.
    person = {"name": f"Zoë Hill{number}", "email": f"zoe{number}@mail.example", "zip": "33101"}
    post(ready, f"/v1/leads/{source['key']}", source["secret"], person)
    return received.get(timeout=WAIT_S)


def holds(secret, body, headers):
    try:
        Webhook(secret).verify(body, headers)
    except json.JSONDecodeError:
        # It holds, and the library reads what it verified: not every form is JSON.
        return True
    except WebhookVerificationError:
        return False
    return True


def check(ready):
    desk = ready["desk_token"]
    first = post(ready, "/v1/dealers/hudson/secret", desk)["secret"]
    body, headers = lead(ready, 1)
    assert holds(first, body, headers), "the dealer's own secret"
    assert not holds(first, body.replace(b"Hill1", b"Hill2"), headers), "another body"
    assert not holds(first, body, headers | {"webhook-id": "msg_other"}), "another id"
    assert not holds("whsec_" + base64.b64encode(bytes(32)).decode(), body, headers), "another secret"
    try:
        post(ready, "/v1/dealers/hudson/secret", desk)
        raise AssertionError("a secret is shown once")
    except urllib.error.HTTPError as error:
        assert error.code == 409, error.code

    second = post(ready, "/v1/dealers/hudson/secret/rotate", desk)["secret"]
    body, headers = lead(ready, 2)
    assert second != first and len(headers["webhook-signature"].split(" ")) == 2
    assert holds(first, body, headers) and holds(second, body, headers), "both, while it rotates"


def main(rules, checks):
    """Runs the program with the rules that lead to a dealer here, and checks what it sends."""
    program = sys.argv[1]
    dealer = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Dealer)
    threading.Thread(target=dealer.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as folder:
        rules(pathlib.Path(folder), dealer.server_address[1])
        serve = [program, "serve", "--memory", "--port", "0", "--json", "--log", "error", "--rules", folder]
        running = subprocess.Popen(serve, stdout=subprocess.PIPE, text=True)
        try:
            checks(json.loads(running.stdout.readline()))
        finally:
            running.kill()
            running.wait()


if __name__ == "__main__":
    main(rulebook, check)
    print("standardwebhooks (Python) verifies what we sign")
