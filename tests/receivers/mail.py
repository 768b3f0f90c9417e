"""What we mail, read by the e-mail package of another language, as strictly as it reads.

    mail.py PATH/TO/leadyard

Runs the program with one dealer who reads letters and one whose program reads ADF from a mailbox, posts leads that say
what mails are known to break on, and reads what was caught, as it would travel.
"""

import datetime
import email
import email.policy
import html
import re
import textwrap
import time
import urllib.error
import urllib.parse
import urllib.request
import xml.etree.ElementTree

import webhooks

# One encoded word has room for the name: between two of a name Python 3.11 reads a space.
FROM, SENDER = "desk@acme.example", "Zoë’s \"Leads\" (Acme), Mjölby"
LETTERS, PROGRAM = "leads@hudson.example", "crm+adf@ridge.example"
INVITED = "sam@hudson.example"
# This needs several.
OFFER = "Neue Dachziegel für Häuser in Mjölby, geprüft und versichert 屋根の修理"

NAME, SURNAME = "Zoë \"Zo\"", "Петрова 😀"
LONG = ("drip, drop " * 110).strip()
MESSAGE = "\n".join([
    "It leaks = badly =",
    ".A line that begins with a dot",
    "..",
    "From here on \"quoted\", R&D <b>not bold</b>, =3D and =?utf-8?Q?no_word?=",
    "屋根が漏れています。 🏠",
    # A word that no line of a letter has room for, and a line that none of a mail has.
    "é" * 90,
    LONG,
])
ASCII = "The porch leaks.\n.and drips = too ="

# What a line of a letter has room for, and a line of a mail, without its end (RFC 5322, 2.1.1); a line of
# quoted-printable (RFC 2045, 6.7), and a header's with an encoded word (RFC 2047, 2).
LETTER_COLUMNS, LINE, ENCODED_LINE = 72, 998, 76


def rulebook(folder, port):
    webhooks.rulebook(folder, port)
    sender = SENDER.replace('"', '\\"')
    files = {
        "company.toml": (
            'id = "acme"\nname = "Acme"\nzone = "America/New_York"\n'
            f'[mail]\nfrom = "{FROM}"\nname = "{sender}"\n'
        ),
        "offers.toml": (
            f'[[offer]]\nid = "roof"\ncategory = "roofing"\nname = "{OFFER}"\n'
            '[[offer]]\nid = "porch"\ncategory = "porches"\nname = "Porch"\n'
        ),
        "sources.toml": "".join(
            f'[[source]]\nid = "{id}"\nkind = "form"\noffer = "{offer}"\n'
            for id, offer in [("web", "roof"), ("plain", "porch"), ("program", "roof")]
        ),
        "dealers.csv": f"dealer,name,zip,email\nhudson,Hudson,33101,{INVITED}\nridge,Ridge,33101,\n",
        "channels.csv": (
            "dealer,order,kind,address,format,vendor_id\n"
            f"hudson,1,mail,{LETTERS},,\n"
            f"ridge,1,mail,{PROGRAM},adf,D-4711\n"
        ),
        "contracts.csv": (
            "contract,dealer,offers,sources,area,price\n"
            "hudson,hudson,*,web plain,everywhere,10.00\n"
            "ridge,ridge,*,program,everywhere,10.00\n"
        ),
    }
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")


def raw(ready, number):
    """A mail as it would travel, 1 the first; it is caught a moment after what it tells of."""
    end = time.monotonic() + webhooks.WAIT_S
    while True:
        try:
            url = f"{ready['url']}/mail/{number}/raw"
            with urllib.request.urlopen(url, timeout=webhooks.WAIT_S) as answer:
                assert answer.headers["content-type"] == "message/rfc822", answer.headers["content-type"]
                return answer.read()
        except urllib.error.HTTPError as error:
            if error.code != 404 or time.monotonic() > end:
                raise
        time.sleep(0.05)


def is_one(mail, to):
    """What every mail is, whatever it says; read, with its encoding and its text."""
    body = travels(mail)
    message = email.message_from_bytes(mail, policy=email.policy.default)
    assert [*message.walk()] == [message], "it has one part"
    assert not message.defects, message.defects
    for name, value in message.items():
        assert len(message.get_all(name)) == 1, name
        assert not value.defects, (name, value.defects)
    assert (message.get_content_type(), message["content-type"].params) == ("text/plain", {"charset": "utf-8"})
    assert message["mime-version"].version == "1.0"

    [author] = message["from"].addresses
    assert (author.display_name, author.addr_spec) == (SENDER, FROM), author
    assert [one.addr_spec for one in message["to"].addresses] == [to], message["to"]
    for name in ["message-id", "references"]:
        assert re.fullmatch(r"<[A-Za-z0-9._-]+@acme\.example>", message[name]), message[name]
    assert message["message-id"] != message["references"]
    # Python takes the zone off a date whose zone is `-0000`, which is UTC (RFC 5322, 3.3).
    sent = message["date"].datetime.replace(tzinfo=message["date"].datetime.tzinfo or datetime.timezone.utc)
    since = datetime.datetime.now(datetime.timezone.utc) - sent
    assert abs(since) < datetime.timedelta(hours=1), message["date"]
    # So that nobody who is away answers it by a program (RFC 3834).
    assert message["auto-submitted"] == "auto-generated"

    encoding = message["content-transfer-encoding"].cte
    is_encoded(body, encoding)
    return message, encoding, message.get_content(errors="strict").replace("\r\n", "\n")


def travels(mail):
    """Nothing on the way may change it; its body."""
    assert mail.isascii(), mail
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)", mail), "a line ends in CRLF"
    assert all(len(line) <= LINE for line in mail.split(b"\r\n"))
    head, body = mail.split(b"\r\n\r\n", 1)
    for line in head.split(b"\r\n"):
        assert b"=?" not in line or len(line) <= ENCODED_LINE, (len(line), line)
    return body


def is_encoded(body, encoding):
    """As strictly as the encoding's rules are: Python reads more."""
    if encoding == "7bit":
        assert not re.search(rb"[^\t\r\n -~]", body), body
        return
    assert encoding == "quoted-printable", encoding
    for line in body.split(b"\r\n"):
        assert len(line) <= ENCODED_LINE, line
        assert re.fullmatch(rb"(?:[\t -<>-~]|=[0-9A-F]{2})*=?", line), line
        assert not line.endswith((b" ", b"\t")), "what stands at an end gets lost on the way"


def quoted(text):
    """A text as a letter quotes it, line by line."""
    room = {"width": LETTER_COLUMNS, "break_long_words": False, "break_on_hyphens": False}
    lines = [textwrap.wrap(line, initial_indent="> ", subsequent_indent="> ", **room) for line in text.split("\n")]
    return "".join(f"{line}\n" for wrapped in lines for line in wrapped)


def links(text):
    """The URLs of a letter, which stand on lines of their own."""
    return re.findall(r"^https?://\S+$", text, re.MULTILINE)


def page(url, data=None):
    """The page behind a link, as a person reads it."""
    with urllib.request.urlopen(url, data=data, timeout=webhooks.WAIT_S) as answer:
        assert answer.headers["content-type"].startswith("text/html"), answer.headers["content-type"]
        return html.unescape(answer.read().decode())


def check(ready):
    source = {one["source"]: one for one in ready["sources"]}
    desk = ready["desk_token"]

    def leads(id, person):
        return webhooks.post(ready, f"/v1/leads/{source[id]['key']}", source[id]["secret"], person)["lead"]

    # A letter, which says what no header and no line has room for.
    zoe = {"first_name": NAME, "last_name": SURNAME, "email": "zoe@mail.example", "zip": "33101"}
    lead = leads("web", zoe | {"message": MESSAGE})
    letter, encoding, text = is_one(raw(ready, 1), LETTERS)
    assert encoding == "quoted-printable"
    assert letter["subject"] == f"Lead {lead[-6:]}: {OFFER}", letter["subject"]
    assert f"\nName        {NAME} {SURNAME}\n" in text, text
    assert "\nE-mail      zoe@mail.example\n" in text, text
    assert f"\nRequest\n{quoted(MESSAGE)}Consent     not recorded\n" in text, text

    # Its links lead somewhere, and following them answers nothing.
    accept, decline = links(text)
    for url in [accept, decline, accept]:
        assert "<form method=\"post\">" in page(url) and f"{NAME} {SURNAME}" in page(url), page(url)
    assert "This lead is yours" in page(accept, data=b"")

    # The person asks again: another mail of the same conversation.
    assert leads("web", zoe | {"message": ASCII}) == lead
    again, _, text = is_one(raw(ready, 2), LETTERS)
    assert f"\nRequest\n{quoted(ASCII)}" in text, text
    assert (again["subject"], again["references"]) == (letter["subject"], letter["references"])
    assert again["message-id"] != letter["message-id"]

    # What is plain goes as it is.
    lead = leads("plain", {"name": "Ada Hill", "email": "ada@mail.example", "zip": "33101", "message": ASCII})
    mail = raw(ready, 3)
    plain, encoding, text = is_one(mail, LETTERS)
    assert encoding == "7bit" and mail.endswith(b"\r\n\r\n" + text.replace("\n", "\r\n").encode())
    assert plain["subject"] == f"Lead {lead[-6:]}: Porch", plain["subject"]
    assert "\nName        Ada Hill\n" in text and f"\nRequest\n{quoted(ASCII)}" in text, text
    assert plain["references"] != letter["references"]

    # ADF is the whole text of its mail, for a program: what is plain and has no long line goes as it is here too.
    people = [
        (NAME, SURNAME, MESSAGE, "quoted-printable"),
        ("Bob", "Hill", f"{ASCII}\n{LONG}", "quoted-printable"),
        ("Cy", "Hill", ASCII, "7bit"),
    ]
    for number, (first, last, message, by) in enumerate(people, start=4):
        person = {"first_name": first, "last_name": last, "email": f"adf{number}@mail.example", "zip": "33101"}
        lead = leads("program", person | {"message": message})
        mail, encoding, text = is_one(raw(ready, number), PROGRAM)
        assert encoding == by, (encoding, text)
        assert mail["subject"] == f"Lead {lead[-6:]}: {OFFER}", mail["subject"]
        prospect = xml.etree.ElementTree.fromstring(text.encode()).find("prospect")
        assert prospect.find("id").text == lead
        contact = prospect.find("customer/contact")
        named = {name.get("part"): name.text for name in contact.findall("name")}
        assert named == {"first": first, "last": last}, named
        assert contact.find("email").text == person["email"]
        comments = prospect.find("customer/comments").text
        assert comments.startswith(f"{message}\n"), comments
        assert prospect.find("vendor/id").text == "D-4711"

    # An invitation is a mail as well.
    webhooks.post(ready, "/v1/invitations", desk, {"dealers": ["hudson"]})
    invited, _, text = is_one(raw(ready, 7), INVITED)
    assert invited["subject"] == "Acme invites you to sign in", invited["subject"]
    [sign_in] = links(text)
    assert "<h1>Sign in</h1>" in page(sign_in)


if __name__ == "__main__":
    webhooks.main(rulebook, check)
    print("email (Python) reads the letters, the ADF and the invitations that we mail")
