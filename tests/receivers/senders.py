"""Each format, sent by a real client: curl, and the line of the posting instructions in a shell.

    senders.py PATH/TO/leadyard

Runs the program with one dealer who has every lead, and looks at what the dealer was sent of each. Meta's side is
here: what its notice tells of is fetched from here, with the company's token.
"""

import hashlib
import hmac
import http.server
import json
import os
import pathlib
import queue
import subprocess
import sys
import tempfile
import threading
import urllib.parse
import urllib.request

import webhooks

# The app's that the source names, and the installation's, whose the token is.
OWN_SECRET, APP_SECRET, TOKEN = "an app's own", "the installation's", "the company's token"
# As Meta's documentation shows what the Graph API answers; the person is ours.
META_LEAD = {
    "created_time": "2015-02-28T08:49:14+0000",
    "id": "77",
    "ad_id": "12312",
    "form_id": "1234",
    "field_data": [
        {"name": "full_name", "values": ["Meta Hill"]},
        {"name": "email", "values": ["meta@mail.example"]},
        {"name": "zip_code", "values": ["33101"]},
        {"name": "roofs", "values": ["flat", "steep"]},
    ],
}
# What the instructions have in place of a secret, and whom their examples send.
PLACEHOLDER = "YOUR_SECRET"
EXAMPLE_EMAIL = "ada.hill@example.com"
# Of a page without a secret curl itself is doubted, as machines are.
BROWSER = ["--user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"]
ADF = """<?xml version="1.0" encoding="UTF-8"?>
<?adf version="1.0"?>
<adf><prospect><requestdate>2026-06-01T09:30:00-04:00</requestdate>
<vehicle><year>2025</year><make>Citro\u00ebn</make><model>C4</model></vehicle>
<customer><contact><name part="first">Adf</name><name part="last">Hill</name><email>adf@mail.example</email>
<address><postalcode>33101</postalcode></address></contact><comments>It leaks &amp; drips.</comments></customer>
<vendor><vendorname>Hudson</vendorname></vendor></prospect></adf>
"""

# Every request for a lead, and the status it was answered with.
asked: queue.Queue = queue.Queue()


class Graph(http.server.BaseHTTPRequestHandler):
    """Meta's Graph API: gives one lead, of it what was asked for, and only to whoever has the token."""

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        said = dict(urllib.parse.parse_qsl(url.query))
        fields = said.get("fields", "id").split(",")
        # As of an app that demands it.
        proof = hmac.digest(APP_SECRET.encode(), TOKEN.encode(), "sha256").hex()
        if not hmac.compare_digest(said.get("appsecret_proof", ""), proof):
            self.says(400, {"error": error("Invalid appsecret_proof provided in the API argument", 100)})
        elif self.headers["authorization"] != f"Bearer {TOKEN}":
            self.says(400, {"error": error("Invalid OAuth access token.", 190)})
        elif url.path != f"/v23.0/{META_LEAD['id']}" or not META_LEAD.keys() >= set(fields):
            self.says(400, {"error": error("Unsupported get request.", 100)})
        else:
            self.says(200, {name: META_LEAD[name] for name in fields})

    def says(self, status, body):
        asked.put((self.path, status))
        body = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json; charset=UTF-8")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def error(message, code):
    return {"message": message, "type": "OAuthException", "code": code}


def rulebook(folder, port):
    webhooks.rulebook(folder, port)
    sources = [("web", "form"), ("ads", "google"), ("social", "meta"), ("list", "file")]
    text = "".join(f'[[source]]\nid = "{id}"\nkind = "{kind}"\noffer = "roof"\n' for id, kind in sources)
    (folder / "sources.toml").write_text(text)


def curl(*args):
    """Status and body of what curl was answered."""
    quiet = ["curl", "--silent", "--show-error", "--max-time", str(webhooks.WAIT_S)]
    command = [*quiet, "--write-out", "\n%{http_code}", *args]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    body, status = told.rsplit("\n", 1)
    return int(status), body


def person(first, email=None):
    """What the dealer was sent next: the person, who is named by the format."""
    while True:
        body, _ = webhooks.received.get(timeout=webhooks.WAIT_S)
        told = json.loads(body)
        if told["type"] == "lead.assigned":
            data = told["data"]
            assert data["person"]["first_name"] == first, (first, data["person"])
            assert data["person"]["email"] == (email or f"{first.lower()}@mail.example"), data["person"]
            assert data["address"]["zip"] == "33101", data["address"]
            return data


def check(ready):
    source = {one["source"]: one for one in ready["sources"]}
    url = ready["url"].rstrip("/")
    at = {id: f"{url}/v1/leads/{one['key']}" for id, one in source.items()}
    web = at["web"]

    fields = {"first_name": "Json", "last_name": "Hill", "email": "json@mail.example", "zip": "33101"}
    secret = f"authorization: Bearer {source['web']['secret']}"
    status, _ = curl(web, "--header", secret, "--json", json.dumps(fields))
    assert status == 201, status
    person("Json")

    said = ["first_name=Form", "last_name=Hill", "zip=33101", "email=form@mail.example", "message=Zo\u00eb & I"]
    status, _ = curl(web, *BROWSER, *(part for one in said for part in ("--data-urlencode", one)))
    assert status in (200, 201, 303), status
    assert person("Form")["message"] == "Zo\u00eb & I"

    said = ["first_name=Multipart", "last_name=Hill", "zip=33101", "email=multipart@mail.example"]
    parts = [part for one in [*said, f"photo=@{__file__}"] for part in ("--form", one)]
    status, _ = curl(web, *BROWSER, *parts)
    assert status in (200, 201, 303), status
    person("Multipart")

    adf = "content-type: application/x-adf+xml"
    status, body = curl(web, "--header", secret, "--header", adf, "--data-binary", ADF)
    assert status in (200, 201), (status, body)
    assert person("Adf")["message"] == "It leaks & drips."

    columns = {"FIRST_NAME": "Google", "LAST_NAME": "Hill"}
    columns |= {"EMAIL": "google@mail.example", "POSTAL_CODE": "33101"}
    told = [{"column_id": id, "string_value": value} for id, value in columns.items()]
    lead = {"lead_id": "g-1", "user_column_data": told, "google_key": source["ads"]["google_key"]}
    status, body = curl(f"{at['ads']}/google", "--json", json.dumps(lead))
    assert (status, body) == (200, "{}"), (status, body)
    person("Google")
    status, _ = curl(f"{at['ads']}/google", "--json", json.dumps(lead | {"google_key": "another"}))
    assert status in (401, 403), status

    # Meta asks first, then tells by a notice that it signs; what it tells of is fetched.
    desk = f"authorization: Bearer {ready['desk_token']}"
    keys = json.loads(curl(f"{url}/v1/sources/social/keys", "--header", desk, "--request", "POST")[1])
    asks = f"hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token={keys['meta_verify_token']}"
    assert curl(f"{at['social']}/meta?{asks}") == (200, "1158201444")
    status, _ = curl(
        f"{url}/v1/sources/social/secrets/meta_app_secret",
        *("--header", desk, "--request", "PUT"),
        *("--json", json.dumps({"secret": OWN_SECRET})),
    )
    assert status in (200, 204), status
    # The one that nobody signed tells of another lead: nothing may be asked of that.
    for told_of, secret_of_app, answer in [("78", APP_SECRET, 401), (META_LEAD["id"], OWN_SECRET, 200)]:
        told = {"leadgen_id": told_of, "page_id": "5", "form_id": "9", "created_time": 1780000000}
        entry = {"id": "5", "time": 1780000000, "changes": [{"field": "leadgen", "value": told}]}
        notice = json.dumps({"object": "page", "entry": [entry]})
        sign = hmac.new(secret_of_app.encode(), notice.encode(), hashlib.sha256).hexdigest()
        headers = [f"x-hub-signature-256: sha256={sign}", "content-type: application/json"]
        headers = [part for one in headers for part in ("--header", one)]
        status, body = curl(f"{at['social']}/meta", *headers, "--data-binary", notice)
        assert status == answer, (status, body)
    path, status = asked.get(timeout=webhooks.WAIT_S)
    assert status == 200, (path, status)
    assert "token" not in path, "what stands in a URL is logged somewhere"
    extra = person("Meta")["extra"]
    assert extra["roofs"] == "flat, steep", extra
    assert asked.empty(), asked.queue

    # The line as it stands, in a shell, with the secret that whoever reads it has.
    told = urllib.request.Request(f"{web}/instructions", headers={"accept": "application/json"})
    with urllib.request.urlopen(told, timeout=webhooks.WAIT_S) as answer:
        line = json.load(answer)["curl"]
    assert f"-H 'Authorization: Bearer {PLACEHOLDER}'" in line, line
    line = line.replace(PLACEHOLDER, source["web"]["secret"])
    told = subprocess.run(["sh", "-c", line], check=True, capture_output=True, text=True).stdout
    assert "lead" in json.loads(told), told
    person("Ada", EXAMPLE_EMAIL)

    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "list.csv"
        file.write_text("first_name,last_name,email,zip\nFile,Hill,file@mail.example,33101\n")
        reaches = ["--url", ready["url"], "--token", ready["desk_token"]]
        command = [sys.argv[1], "import", str(file), "--source", "list", "--company", "acme", *reaches]
        subprocess.run(command, check=True, capture_output=True, text=True)
    person("File")


if __name__ == "__main__":
    graph = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Graph)
    threading.Thread(target=graph.serve_forever, daemon=True).start()
    access = {"app_secret": APP_SECRET, "tokens": {"acme": TOKEN}, "appsecret_proof": True}
    access["graph"] = f"http://127.0.0.1:{graph.server_address[1]}/v23.0"
    os.environ["LEADYARD_META"] = json.dumps(access)
    webhooks.main(rulebook, check)
    print("curl's JSON, form, multipart, ADF, Google's and Meta's are taken, and the instructions' line in a shell")
