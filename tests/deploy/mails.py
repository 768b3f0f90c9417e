"""Letters to dealers leave by SES under the role of the template, and what SES says of them comes back."""

import base64
import email
import email.policy
import json
import re

from deployed import CANARY, HERE, SENDER
from emulator import ask, until

BOUNCE = HERE.parent.parent / "shared/domain/src/delivery/mail_event/bounce.json"
MAILBOX = "leads@magnolia.example"


def from_alabama(there):
    """A lead that its next dealer would have by mail, and who it is about."""
    person = there.person() | {"zip": "35203"}
    status, answer = there.post(person)
    assert status == 201, (status, answer)
    return answer["lead"], person


def tags(mail):
    return {tag["Name"]: tag["Value"] for tag in mail["EmailTags"]}


def mails_of(there, lead):
    """What SES was given of a lead."""
    return [mail for mail in there.emulator.mails() if tags(mail).get("lead") == lead]


def bounced(mail):
    """What SES says of one that it could not hand over, for good: with the tags it was sent with."""
    event = json.loads(BOUNCE.read_text())
    event["bounce"]["bouncedRecipients"][0]["emailAddress"] = MAILBOX
    event["mail"] |= {"messageId": mail["MessageId"], "destination": [MAILBOX]}
    event["mail"]["tags"] |= {name: [value] for name, value in tags(mail).items()}
    return event


def seats(there, lead):
    """Who had it, by contract."""
    return {one["contract"]: one for one in there.story(lead)["assignments"]}


def is_received(there, lead, contract):
    """The seat of it, unless a role is refused something: that is said at once."""

    def seat():
        assert not there.emulator.refused(), there.emulator.refused()
        one = seats(there, lead).get(contract)
        return one if one and one["delivery"] == "received" else None

    return until(f"{contract} has lead {lead}", seat)


def is_a_letter(there, mail, lead, person):
    """Of one part, to the dealer, with what it needs to call; who it is stands in no subject."""
    assert (mail["FromEmailAddress"], mail["Destination"]) == (SENDER, {"ToAddresses": [MAILBOX]}), mail
    raw = base64.b64decode(mail["Content"]["Raw"]["Data"])
    letter = email.message_from_bytes(raw, policy=email.policy.default)
    assert not letter.defects and letter.get_content_type() == "text/plain", letter
    assert [one.addr_spec for one in letter["from"].addresses] == [SENDER], letter["from"]
    assert [one.addr_spec for one in letter["to"].addresses] == [MAILBOX], letter["to"]
    subject, text = letter["subject"], letter.get_content().replace("\r\n", "\n")
    assert "Roof inspection" in subject and lead[-6:] in subject and CANARY not in subject, subject
    for label, value in {
        "Name": person["name"],
        "Phone": f"tel:{person['phone']}",
        "E-mail": person["email"],
        "Contract": "magnolia",
        "Lead": lead,
    }.items():
        assert f"\n{label:<12}{value}\n" in text, (label, text)
    return text


def its_links_lead_to_the_console(there, text):
    """Where it is deployed; looking answers nothing."""
    links = re.findall(r"^https?://\S+$", text, re.MULTILINE)
    console = there.stack.outputs["ConsoleUrl"]
    assert len(links) == 2 and all(link.startswith(console) for link in links), (console, links)
    for link in links:
        status, page = ask("GET", f"{there.console}/{link.removeprefix(console)}")
        assert status == 200 and CANARY in page and '<form method="post">' in page, (status, page)


def gone(there):
    """Since when and why the dealer's one channel takes nothing, if it does not."""
    status, told = ask("GET", f"{there.console}/v1/dealers/magnolia/channels", headers=there.desk)
    assert status == 200, (status, told)
    return next((one["disabled"] for one in told["channels"] if one["channel"] == 1), None)


def a_mail_that_bounces_ends_its_channel_and_its_lead_moves_on(there):
    """Sent under delivery's role, and said by SES to have come back: the next dealer has the lead, and later ones go
    there at once, until the desk says that the mailbox works."""
    lead, person = from_alabama(there)
    seat = is_received(there, lead, "magnolia")
    [mail] = mails_of(there, lead)
    assert mail.get("ConfigurationSetName") == f"leadyard-{there.stack.stage}", "else nobody hears what becomes of it"
    its_links_lead_to_the_console(there, is_a_letter(there, mail, lead, person))
    [attempt] = seat["attempts"]
    assert (attempt["end"], attempt["channel"], attempt["answer"]) == ("received", 1, mail["MessageId"]), attempt
    assert seat["state"] == "offered" and list(seats(there, lead)) == ["magnolia"], seat

    there.ses_says(bounced(mail))
    message = there.dealer_gets(lead)
    assert there.kind(message) == "lead.assigned", message
    is_received(there, lead, "hudson-alabama")
    before = seats(there, lead)["magnolia"]
    [attempt] = before["attempts"]
    assert (before["state"], attempt["end"], attempt["what"]) == ("withdrawn", "not_received", "bounced"), before
    since = gone(there)
    assert since and since["why"] == "bounced", f"its channel goes on: {since}"
    told = [change["after"] for change in there.changes("channel_disabled")]
    assert ["magnolia", "mail"] in [[one.get("dealer"), one.get("kind")] for one in told], told
    assert lead in [change["after"]["lead"] for change in there.changes("mail_returned")]

    another, _ = from_alabama(there)
    is_received(there, another, "hudson-alabama")
    assert not mails_of(there, another), "nobody writes there any more"

    enable = f"{there.console}/v1/dealers/magnolia/channels/1/enable"
    status, answer = ask("POST", enable, {}, there.desk)
    assert status == 200 and not gone(there), (status, answer)
    third, _ = from_alabama(there)
    is_received(there, third, "magnolia")
    assert len(mails_of(there, third)) == 1
