"""Trouble: calls are spoilt, bootstraps are killed, the stack is updated and rolled back while leads flow."""

import contextlib
import http.client
import json
import os
import pathlib
import random
import shutil
import signal
import threading
import time
import uuid

import between
from deployed import HERE
from emulator import ask, until
from permissions import Without

# A queue is impatient where functions are killed: a minute and a half for each message is a long test.
IMPATIENT_S = 15


class Flow:
    """Leads that come one after another, from several senders at once, until it ends."""

    def __init__(self, there, senders=3, every_s=0.1):
        self.there, self.every_s = there, every_s
        self.acknowledged, self.refused, self.failures = [], 0, []
        self.lock, self.over = threading.Lock(), threading.Event()
        self.senders = [threading.Thread(target=self.send, daemon=True) for _ in range(senders)]

    def __enter__(self):
        for sender in self.senders:
            sender.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for sender in self.senders:
            sender.join(120)
        assert not self.failures, self.failures

    def send(self):
        try:
            while not self.over.is_set():
                with self.lock:
                    person = self.there.person()
                self.bring(person)
                self.over.wait(self.every_s)
        except Exception as error:  # noqa: BLE001: whoever waits for the flow is told
            self.failures.append(repr(error))

    def bring(self, person):
        """As the page's script does: it keeps what was not acknowledged, and sends it again."""
        for _ in range(60):
            try:
                status, answer = self.there.post(person)
            except (OSError, http.client.HTTPException) as error:
                status, answer = 0, repr(error)
            if status in (200, 201, 202):
                with self.lock:
                    self.acknowledged.append(person)
                return
            assert status == 0 or status == 429 or status >= 500, (status, answer)
            with self.lock:
                self.refused += 1
            time.sleep(0.3)
        raise AssertionError(f"never acknowledged: {status} {answer}")

    def count(self):
        return len(self.acknowledged)


def every_lead_is_at_its_dealer_once(there, people, wait_s=240):
    """As many leads as were acknowledged, each one lead, each told under one id; nothing among the dead letters.

    A lead that is told twice is told under the same id: a dealer's queue is one that may hold a message twice.
    """
    told = []
    wanted = {person["email"] for person in people}

    def all_told():
        told.extend(message for message in there.told() if there.kind(message) == "lead.assigned")
        return wanted <= {there.data(message)["person"]["email"] for message in told}

    try:
        until("every lead is at its dealer", all_told, wait_s)
    except AssertionError:
        missing = wanted - {there.data(message)["person"]["email"] for message in told}
        raise AssertionError(f"{len(missing)} of {len(wanted)} never came: {sorted(missing)[:5]}") from None
    ids = {}
    for message in told:
        email = there.data(message)["person"]["email"]
        if email in wanted:
            ids.setdefault(email, set()).add((there.data(message)["lead_id"], there.webhook_id(message)))
    twice = {email: found for email, found in ids.items() if len(found) > 1}
    assert not twice, f"sold twice: {twice}"
    assert len({found for one in ids.values() for found in one}) == len(wanted), "each person is one lead"
    assert not there.dead_letters(), there.dead_letters()
    return sum(there.data(message)["person"]["email"] in wanted for message in told) - len(wanted)


# --- What the journeys are ---

# Of each, how often at the least.
SPOILT = 12
KILLED_AT_WORK = 3


def spoilt(there, name, rules, fired):
    """Leads flow until enough of their calls were spoilt."""
    with there.between.spoils(*rules), Flow(there) as flow:
        until(f"{name}: {SPOILT} calls are spoilt", lambda: fired(there.between.spoilt()) >= SPOILT, 120)
        counted = fired(there.between.spoilt())
    print(f"    {name}: {counted} calls spoilt, {flow.count()} leads, {flow.refused} posts refused", flush=True)
    return flow.acknowledged


def spoilt_calls_neither_lose_nor_double_a_lead(there):
    people = []
    people += spoilt(there, "throttled", between.throttled(40), len)
    people += spoilt(
        there,
        "a reply lost after the write",
        between.reply_lost(10),
        # Of transactions: those are what a lead's safety rests on.
        lambda calls: sum(operation == "TransactWriteItems" for operation, _ in calls) + 4,
    )
    people += spoilt(there, "transactions in conflict", between.conflicting(24), len)
    people += spoilt(there, "a message not sent", between.unsent(24), len)
    people += spoilt(there, "a message sent twice", between.sent_twice(24), len)
    more = every_lead_is_at_its_dealer_once(there, people)
    print(f"    {len(people)} leads, each at its dealer; {more} told again under the same id", flush=True)


class Killed:
    """Functions whose processes are killed, and queues that are impatient meanwhile."""

    def __init__(self, there, functions, queues):
        self.there = there
        self.functions = [f"leadyard-{there.stack.stage}-{name}" for name in functions]
        self.urls = [there.stack.outputs[f"{queue}QueueUrl"] for queue in queues]
        self.killed = 0

    def __enter__(self):
        self.patience = {url: self.there.patience(url, IMPATIENT_S) for url in self.urls}
        self.before = {function: self.there.emulator.interrupted(function) for function in self.functions}
        return self

    def __exit__(self, *_):
        for url, seconds in self.patience.items():
            self.there.patience(url, seconds)

    def at_work(self):
        """How often each was killed in the midst of something."""
        return {name: self.there.emulator.interrupted(name) - before for name, before in self.before.items()}

    def enough(self):
        """Kills whoever is at work a moment from now; until each was killed at work as often as is asked."""
        time.sleep(random.uniform(0.1, 0.6))
        for function, times in self.at_work().items():
            if times < KILLED_AT_WORK:
                for process in self.there.emulator.bootstraps(function):
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(process, signal.SIGKILL)
                        self.killed += 1
        return min(self.at_work().values()) >= KILLED_AT_WORK

    def said(self):
        return f"{self.killed} killed, at work {list(self.at_work().values())} of them"


def a_killed_bootstrap_loses_nothing(there):
    """SIGKILL while they work: a lead is acknowledged and kept, or its sender knows that it is not."""
    with Killed(there, ["leads", "distribution", "delivery"], ["Distribution", "Delivery"]) as killed:
        # They are at work for longer, and met there more often.
        with there.between.spoils(*between.slow(150)), Flow(there) as flow:
            until("leads flow", lambda: flow.count() > 3)
            until("each was killed at work", killed.enough, 120)
        more = every_lead_is_at_its_dealer_once(there, flow.acknowledged)
    print(
        f"    {killed.said()}; {flow.count()} leads, {flow.refused} posts refused, {more} told again under the same id",
        flush=True,
    )


class Spilling(Flow):
    """Enquiries that the table did not take, as intake leaves them, and what one lead does meanwhile."""

    def __init__(self, there, lead):
        super().__init__(there, senders=2, every_s=0.15)
        self.lead, self.done = lead, 0

    def bring(self, person):
        self.there.spills(person)
        did = {"id": uuid.uuid4().hex, "kind": "quote_request", "at": self.there.now(), "lead": self.lead}
        self.there.report(did)
        with self.lock:
            self.acknowledged.append(person)
            self.done += 1


def a_killed_bootstrap_loses_nothing_of_a_queue(there):
    """Scoring and the spill: an interaction counts once, and what was spilled is a lead once."""
    lead = there.lead()
    with Killed(there, ["scoring", "spill"], ["Interactions", "Spill"]) as killed:
        with there.between.spoils(*between.slow(150)), Spilling(there, lead) as flow:
            until("they are at work", lambda: flow.count() > 3)
            until("each was killed at work", killed.enough, 120)
        more = every_lead_is_at_its_dealer_once(there, flow.acknowledged)
        until("every interaction counts", lambda: there.count(lead, "quote_request") >= flow.done, 120)
    counted = there.count(lead, "quote_request")
    assert counted == flow.done, f"{flow.done} interactions count as {counted}"
    print(
        f"    {killed.said()}; {flow.count()} enquiries came in by the spill, and {counted} interactions count;"
        f" {more} told again under the same id",
        flush=True,
    )


COMPLAINT = HERE.parent.parent / "shared/domain/src/delivery/mail_event/complaint.json"
# One for each mailbox of its own, which a channel's number names.
MAILBOXES = range(100, 140)


class Complaints:
    """What SES says of mails by which channels were tried: somebody complained, of each channel once, and it is disabled."""

    def __init__(self, there, lead):
        self.there, self.lead, self.mailboxes = there, lead, iter(MAILBOXES)
        self.told = 0

    def tell(self):
        """Of one more mailbox, while there are any."""
        mailbox = next(self.mailboxes, None)
        if mailbox is None:
            return
        tags = {
            "company": "deployed",
            "dealer": "hudson",
            "channel": str(mailbox),
            "mark": "an address",
            "lead": self.lead,
            # A test has no assignment.
            "cycle": "0",
            "assignment": str(uuid.uuid4()),
            "event": "assigned",
            "copy": "0",
        }
        event = json.loads(COMPLAINT.read_text())
        event["mail"]["messageId"] = f"mail-{mailbox}"
        event["mail"]["tags"].update({name: [value] for name, value in tags.items()})
        self.there.ses_says(event)
        self.told += 1

    def heard(self):
        """How many channels the desk is told of."""
        return len(self.there.changes("channel_disabled"))


def enquiries(there):
    """How many the reports count."""
    status, report = ask("GET", f"{there.console}/v1/reports/funnel", headers=there.desk)
    assert status == 200, (status, report)
    return report["whole"]["enquiries"]


def stands(what, figure, wait_s=60):
    """A figure, once it has been the same for a while."""
    seen = []

    def same():
        seen.append(figure())
        time.sleep(1)
        return len(seen) > 4 and len(set(seen[-5:])) == 1

    until(f"{what} stands", same, wait_s)
    return seen[-1]


def a_killed_bootstrap_loses_nothing_of_what_is_told_or_due(there):
    """Reporting, the sweep and SES's events: an enquiry counts once, a lead that no queue took is swept, a channel is
    disabled once."""
    complaints = Complaints(there, there.lead())
    before, heard = stands("what is counted", lambda: enquiries(there)), complaints.heard()
    lambdas = there.emulator.client("lambda")
    sweep = f"leadyard-{there.stack.stage}-sweep"

    def happens():
        complaints.tell()
        # Its schedule calls it once a minute, which is a long test.
        lambdas.invoke(FunctionName=sweep, InvocationType="Event", Payload=b"{}")

    with Killed(there, ["reporting", "sweep", "mail-events"], ["MailEvents"]) as killed:
        with left_to_the_sweep(there) as flow:
            until("leads flow", lambda: flow.count() > 3)
            until("each was killed at work", lambda: happens() or killed.enough(), 180)
        more = every_lead_is_at_its_dealer_once(there, flow.acknowledged, 300)
        until("the desk hears of each channel", lambda: complaints.heard() - heard >= complaints.told, 120)
    counted = stands("what is counted", lambda: enquiries(there)) - before
    # Their posts were answered at once: none was sent again.
    assert (flow.refused, counted) == (0, flow.count()), f"{flow.count()} enquiries count as {counted}"
    assert complaints.heard() - heard == complaints.told, f"{complaints.told} channels, told as {complaints.heard()}"
    print(
        f"    {killed.said()}; {flow.count()} leads that no queue took, each counted once, {complaints.told} channels"
        f" disabled once; {more} told again under the same id",
        flush=True,
    )


@contextlib.contextmanager
def left_to_the_sweep(there):
    """Leads flow that intake can hand to no queue, and every call is slow."""
    no_queue = Without(there, "leads", "sqs:SendMessage", "sqs:SendMessageBatch")
    with no_queue, there.between.spoils(*between.slow(150)), Flow(there, senders=1, every_s=0.5) as flow:
        yield flow


CERTIFICATE = "arn:aws:acm:us-east-1:000000000000:certificate/0123abcd-0123-4567-89ab-0123456789ab"


def one_name_leads_to_every_function(there, name):
    """The HTTP API under a domain of one's own: a lead is posted, does something, and is read, under one name."""
    url, source = there.stack.front_of(name), there.source
    secret = {"authorization": f"Bearer {source['secret']}"}
    status, posted = ask("POST", f"{url}/v1/leads/{source['key']}", there.person(), secret)
    assert status == 201, (status, posted)
    did = {"id": "by-name", "kind": "quote_request", "at": there.now(), "lead": posted["lead"]}
    status, answer = ask("POST", f"{url}/v1/interactions/{source['key']}", [did], secret)
    assert status == 202, (status, answer)
    status, story = ask("GET", f"{url}/v1/leads/{posted['lead']}", headers=there.desk)
    assert (status, story["lead"]) == (200, posted["lead"]), (status, story)
    status, answer = ask("POST", f"{url}/v1/leads/note", {"leads": []}, there.desk)
    assert status != 404 and status < 500, (status, answer)
    # That the emulator lists what `nothing_is_left` asks for.
    api = there.emulator.client("apigatewayv2")
    assert len(api.get_apis()["Items"]) == 1
    assert [one["DomainName"] for one in api.get_domain_names()["Items"]] == [name]


def another_version(there):
    """The same bootstraps under another hash, which is what makes a version for Lambda; or what PREVIOUS names."""
    if not hasattr(there, "another"):
        template = os.environ.get("PREVIOUS_TEMPLATE")
        if not template:
            copy = there.folder / "another"
            shutil.copytree(pathlib.Path(there.stack.template).parent, copy)
            for bootstrap in copy.glob("*/bootstrap"):
                (bootstrap.parent / "version").write_text("another\n")
            template = copy / "template.yaml"
        there.another = there.stack.package(template)
    return there.another


def versions(there):
    """What the alias of each function that answers over HTTP leads to."""
    client = there.emulator.client("lambda")
    names = [f"leadyard-{there.stack.stage}-{name}" for name in ("leads", "interactions", "console")]
    return [client.get_alias(FunctionName=name, Name="live")["FunctionVersion"] for name in names]


def an_update_and_its_rollback_serve_while_leads_flow(there):
    """To another version and back, each while leads are at every stage: what one left is the other's to go on with."""
    stack, before, addresses = there.stack, versions(there), dict(there.stack.outputs)
    another, today = another_version(there), stack.as_deployed()
    people = []
    named = {"ApiDomain": "leads.example.com", "CertificateArn": CERTIFICATE}
    for what, template, parameters in [
        ("updated", another, {"Memory": "512"} | named),
        ("back again", today, {"Memory": "256"} | dict.fromkeys(named, "")),
    ]:
        with Flow(there, senders=1, every_s=0.3) as flow:
            until("leads flow", lambda: flow.count() > 3)
            began, waiting = time.monotonic(), flow.count()
            stack.deploy(template, **parameters)
            took, came = time.monotonic() - began, flow.count() - waiting
            until("leads flow on", lambda: flow.count() > waiting + came + 6)
        assert addresses.items() <= stack.outputs.items(), "every address stays"
        if parameters["ApiDomain"]:
            one_name_leads_to_every_function(there, parameters["ApiDomain"])
        after = versions(there)
        assert all(one != other for one, other in zip(before, after)), (before, after)
        before, people = after, people + flow.acknowledged
        print(
            f"    {what} in {took:.0f} s; {came} leads meanwhile, {flow.refused} posts refused; versions {after}",
            flush=True,
        )
    every_lead_is_at_its_dealer_once(there, people)


# A resource that cannot be made, since there is one: it is found out after the functions were changed.
IMPOSSIBLE = """
  Impossible:
    Type: AWS::Lambda::Alias
    DependsOn: [Distribution, Delivery, LeadsUrl, InteractionsUrl, ConsoleUrl]
    Properties:
      FunctionName: !Ref Leads
      FunctionVersion: $LATEST
      Name: live
"""


def an_update_that_fails_rolls_itself_back(there):
    """CloudFormation undoes what it had changed, and leads flow on."""
    stack, before = there.stack, versions(there)
    another = another_version(there)
    broken = another.with_name("broken.yaml")
    broken.write_text(another.read_text().replace("\nResources:\n", f"\nResources:\n{IMPOSSIBLE}", 1))
    assert "Impossible" in broken.read_text()
    with Flow(there, senders=1, every_s=0.3) as flow:
        until("leads flow", lambda: flow.count() > 3)
        try:
            stack.deploy(broken, Memory="512")
        except AssertionError:
            pass
        else:
            raise AssertionError("what cannot be made was deployed")
        until("it is rolled back", lambda: stack.described()["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE", 120)
        stack.allow_batches()
        so_far = flow.count()
        until("leads flow on", lambda: flow.count() > so_far + 6)
    client = there.emulator.client("lambda")
    memory = client.get_function_configuration(FunctionName=f"leadyard-{stack.stage}-distribution")["MemorySize"]
    assert memory == 256, f"the function is as it was: {memory}"
    every_lead_is_at_its_dealer_once(there, flow.acknowledged)
    after = versions(there)
    print(f"    {flow.count()} leads, {flow.refused} posts refused; versions {before}, then {after}", flush=True)


JOURNEYS = [
    spoilt_calls_neither_lose_nor_double_a_lead,
    a_killed_bootstrap_loses_nothing,
    a_killed_bootstrap_loses_nothing_of_a_queue,
    a_killed_bootstrap_loses_nothing_of_what_is_told_or_due,
    an_update_and_its_rollback_serve_while_leads_flow,
    an_update_that_fails_rolls_itself_back,
]
