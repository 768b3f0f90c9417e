"""Each format, sent by a real client: curl, and the line of the posting instructions in a shell.

    senders.py PATH/TO/leadyard

Runs the program with one dealer who has every lead, and looks at what the dealer was sent of each.
"""

import hashlib
import hmac
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import urllib.request

import webhooks

APP_SECRET = "an app's own"
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


def person(first):
    """What the dealer was sent next: the person, who is named by the format."""
    while True:
        body, _ = webhooks.received.get(timeout=webhooks.WAIT_S)
        told = json.loads(body)
        if told["type"] == "lead.assigned":
            data = told["data"]
            assert data["person"]["first_name"] == first, (first, data["person"])
            assert data["person"]["email"] == f"{first.lower()}@mail.example", data["person"]
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

    # Meta asks first, then tells by a notice that it signs; what it tells of is fetched from Meta, which is not here.
    desk = f"authorization: Bearer {ready['desk_token']}"
    keys = json.loads(curl(f"{url}/v1/sources/social/keys", "--header", desk, "--request", "POST")[1])
    asks = f"hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token={keys['meta_verify_token']}"
    assert curl(f"{at['social']}/meta?{asks}") == (200, "1158201444")
    status, _ = curl(
        f"{url}/v1/sources/social/secrets/meta_app_secret",
        *("--header", desk, "--request", "PUT"),
        *("--json", json.dumps({"secret": APP_SECRET})),
    )
    assert status in (200, 204), status
    told = {"leadgen_id": "77", "page_id": "5", "form_id": "9", "created_time": 1780000000}
    entry = {"id": "5", "time": 1780000000, "changes": [{"field": "leadgen", "value": told}]}
    notice = json.dumps({"object": "page", "entry": [entry]})
    sign = hmac.new(APP_SECRET.encode(), notice.encode(), hashlib.sha256).hexdigest()
    for signature, answer in [(sign, 200), ("0" * 64, 401)]:
        headers = [f"x-hub-signature-256: sha256={signature}", "content-type: application/json"]
        headers = [part for one in headers for part in ("--header", one)]
        status, body = curl(f"{at['social']}/meta", *headers, "--data-binary", notice)
        assert status == answer, (status, body)

    # The line as it stands, in a shell.
    asked = urllib.request.Request(f"{web}/instructions", headers={"accept": "application/json"})
    with urllib.request.urlopen(asked, timeout=webhooks.WAIT_S) as answer:
        line = json.load(answer)["curl"]
    told = subprocess.run(["sh", "-c", line], check=True, capture_output=True, text=True).stdout
    assert json.loads(told)["enquiry"], told

    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "list.csv"
        file.write_text("first_name,last_name,email,zip\nFile,Hill,file@mail.example,33101\n")
        reaches = ["--url", ready["url"], "--token", ready["desk_token"]]
        command = [sys.argv[1], "import", str(file), "--source", "list", "--company", "acme", *reaches]
        subprocess.run(command, check=True, capture_output=True, text=True)
    person("File")


if __name__ == "__main__":
    access = {"app_secret": "the installation's", "tokens": {"acme": "a token"}}
    os.environ["LEADYARD_META"] = json.dumps(access)
    webhooks.main(rulebook, check)
    print("curl's JSON, form, multipart, ADF, Google's and Meta's are taken, and the instructions' line in a shell")
