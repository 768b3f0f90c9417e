"""What we write as ADF/XML, read by the XML parser of another language, and its signature by the official library.

    adf.py PATH/TO/leadyard

Runs the program with one dealer whose system takes ADF by POST, posts a lead whose name means something in XML,
and reads what arrives.
"""

import re
import xml.etree.ElementTree

import webhooks

NAME = "Zo\u00eb \"<&>'"
SURNAME = "O\u2019Hill ]]> \U0001f600"
MESSAGE = "It leaks.\nTwice & <b>badly</b>."


def check(ready):
    secret = webhooks.post(ready, "/v1/dealers/hudson/secret", ready["desk_token"])["secret"]
    source = ready["sources"][0]
    person = {
        "first_name": NAME,
        "last_name": SURNAME,
        "email": "zoe@mail.example",
        "phone": "305-274-0142",
        "zip": "33101",
        "message": MESSAGE,
        "vehicle_year": "2025",
        "vehicle_make": "Citro\u00ebn & Co",
        "vehicle_model": "C4",
        "trade_make": "Saab",
    }
    lead = webhooks.post(ready, f"/v1/leads/{source['key']}", source["secret"], person)["lead"]
    body, headers = webhooks.received.get(timeout=webhooks.WAIT_S)
    assert headers["content-type"] == "application/x-adf+xml", headers
    assert webhooks.holds(secret, body, headers), "the dealer's own secret"
    assert re.match(rb'<\?xml version="1.0" encoding="UTF-8"\?>\s*<\?adf version="1.0"\?>', body), body[:80]

    prospect = xml.etree.ElementTree.fromstring(body).find("prospect")
    order = [child.tag for child in prospect]
    assert order == ["id", "id", "requestdate", "vehicle", "vehicle", "customer", "vendor", "provider"], order
    assert prospect.get("status") == "new"
    assert (prospect.find("id").text, prospect.find("id").get("source")) == (lead, "leadyard")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d", prospect.find("requestdate").text)
    contact = prospect.find("customer/contact")
    named = {name.get("part"): name.text for name in contact.findall("name")}
    assert named == {"first": NAME, "last": SURNAME}, named
    assert contact.find("email").text == "zoe@mail.example"
    assert contact.find("phone").text == "+13052740142"
    assert contact.find("address/postalcode").text == "33101"
    assert prospect.find("customer/comments").text.startswith(MESSAGE)
    wanted, traded = prospect.findall("vehicle")
    assert [wanted.find(name).text for name in ("year", "make", "model")] == ["2025", "Citro\u00ebn & Co", "C4"]
    assert (traded.get("interest"), traded.find("make").text) == ("trade-in", "Saab")
    assert prospect.find("vendor/id").text == "D-4711"
    assert prospect.find("vendor/vendorname").text == "Hudson"


def rulebook(folder, port):
    webhooks.rulebook(folder, port)
    (folder / "channels.csv").write_text(
        "dealer,order,kind,address,format,vendor_id\n"
        f"hudson,1,webhook,http://127.0.0.1:{port}/leads,adf,D-4711\n"
    )


if __name__ == "__main__":
    webhooks.main(rulebook, check)
    print("xml.etree (Python) reads the ADF that we write")
