"""Each role has what its function needs, and nothing besides: permissions are taken away one by one.

What is refused is heard of from the emulator, which enforces the roles. A journey fails on any refusal
(`nobody_stands_in_the_logs_and_nothing_went_wrong`): a permission whose loss is refused is one that the test notices.
"""

import base64
import contextlib
import json
import os
import signal
import time
import uuid

from deployed import CANARY, HERE
from emulator import ask, until

# What Lambda itself does under a role. The emulator asks nobody for it: `tests/parity` reads that it is there.
OF_LAMBDA = {
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "sqs:ReceiveMessage",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "dynamodb:DescribeStream",
    "dynamodb:GetRecords",
    "dynamodb:GetShardIterator",
    "dynamodb:ListStreams",
}


# What is used on occasions that nothing here brings about. In the end-to-end tests each function works under the same
# roles, and what it is not allowed fails the test (`tests/support/roles.rs`).
ELSEWHERE = {
    "leads": ["dynamodb:DeleteItem on the table"],
    "spill": ["dynamodb:BatchGetItem on the table", "dynamodb:DeleteItem on the table"],
    # Who opts out by a link: all of a person's leads are looked for.
    "scoring": [
        "dynamodb:BatchGetItem on the table",
        "dynamodb:Query on /index/arrivals",
        "sqs:SendMessage on -delivery -distribution",
    ],
    "delivery": ["dynamodb:UpdateItem on the table", "sqs:SendMessage on -delivery -distribution"],
    # The copy that goes by the dealer's next channel: it has one here.
    "mail-events": [
        "sqs:SendMessage on dealer-*",
        "ses:SendEmail on identity/acme.example",
        "ses:SendRawEmail on identity/acme.example",
    ],
    # What Lambda gives up reading.
    "reporting": ["sqs:SendMessage on -reporting-dead"],
    "sweep": [
        "dynamodb:GetItem on the table",
        "dynamodb:BatchGetItem on the table",
        "dynamodb:Query on the table",
        "dynamodb:PutItem on the table",
        "dynamodb:DeleteItem on the table",
    ],
}


# A lead that no message names is due by then.
OVERDUE_S = 90


def many(one_or_many):
    return [one_or_many] if isinstance(one_or_many, str) else one_or_many


class Without:
    """A function whose role lacks some actions for a while; in one statement alone, if that is named."""

    def __init__(self, there, function, *actions, statement=None):
        self.iam = there.emulator.client("iam")
        lambdas = there.emulator.client("lambda")
        name = f"leadyard-{there.stack.stage}-{function}"
        self.role = lambdas.get_function_configuration(FunctionName=name)["Role"].rsplit("/", 1)[-1]
        self.policy = self.iam.get_role_policy(RoleName=self.role, PolicyName="least")["PolicyDocument"]
        self.actions, self.statement = actions, statement

    def put(self, policy):
        self.iam.put_role_policy(RoleName=self.role, PolicyName="least", PolicyDocument=json.dumps(policy))

    def __enter__(self):
        less, taken = [], 0
        for number, statement in enumerate(self.policy["Statement"]):
            actions = many(statement["Action"])
            here = self.statement in (None, number)
            left = [action for action in actions if not (here and action in self.actions)]
            taken += len(actions) - len(left)
            if left:
                less.append(statement | {"Action": left})
        assert taken, f"{self.role} has none of {self.actions}"
        self.put(self.policy | {"Statement": less})

    def __exit__(self, *_):
        self.put(self.policy)


# --- What each function does, quickly ---


def leads(there):
    """One who asks, asks again, and asks again under another name."""
    person = there.person()
    for name in (person["name"], person["name"], f"Ann {CANARY}-Moss"):
        there.post(person | {"name": name})
    there.post({"name": "Nobody", "zip": "33101"})
    ask("GET", f"{there.leads}/v1/quarantine", headers=there.desk)


def interactions(there):
    headers = {"authorization": f"Bearer {there.source['secret']}"}
    did = {"id": uuid.uuid4().hex, "kind": "quote_request", "at": there.now(), "lead": there.some_lead}
    ask("POST", f"{there.interactions}/v1/interactions/{there.source['key']}", [did], headers)


def spill(there):
    """One that is known already: the spill looks for who it is."""
    person = there.person()
    there.post(person)
    there.spills(person | {"name": f"Ann {CANARY}-Moss"})


def distribution(there):
    """Decisions; and somebody is let go on, so that those who wait are woken."""
    leads(there)
    pauses(there)
    wake = {"wake": {"company": "deployed", "category": "roofing"}}
    there.sqs.send_message(
        QueueUrl=there.stack.outputs["DistributionQueueUrl"], MessageBody=json.dumps({"v": 1, "m": wake})
    )


def delivery(there):
    """Into a dealer's queue, and by mail."""
    leads(there)
    there.post(there.person() | {"zip": "35203"})


def pauses(there):
    for on in (True, False):
        flip = {"dealer": "hudson", "on": on, "reason": "holiday"}
        ask("POST", f"{there.console}/v1/switches/pause", flip, there.desk)


def mail_events(there):
    """A mail of ours comes back: of what its dealer was told, as if that had been a mail. Its lead moves on."""
    message = there.dealer_gets(there.lead())
    data = there.data(message)
    ours = {
        "company": "deployed",
        "dealer": "hudson",
        "channel": "1",
        # What the channel was then. It is another now, and is not switched off: the dealer has no other.
        "mark": "0",
        "lead": data["lead_id"],
        "cycle": "1",
        "assignment": data["assignment_id"],
        "event": "assigned",
        "copy": "0",
    }
    event = json.loads((HERE.parent.parent / "shared/domain/src/delivery/mail_event/bounce.json").read_text())
    event["mail"]["messageId"] = message["MessageId"]
    event["mail"]["tags"] |= {name: [value] for name, value in ours.items()}
    record = {"messageId": "m", "receiptHandle": "h", "body": json.dumps(event), "eventSource": "aws:sqs"}
    for _ in range(3):
        if not invoke(there, "mail-events", {"Records": [record]}).get("batchItemFailures"):
            break
        # Too early: that the dealer was told is not kept yet. Or it lacks what it needs.
        time.sleep(0.3)


def reporting(there):
    """A batch of a shard that nobody has heard of: an enquiry and a seat, as they stand in the table."""
    items = there.emulator.client("dynamodb").scan(TableName=there.stack.outputs["TableName"])["Items"]
    kinds = [("E#", "E"), ("L#", "A#")]
    records = []
    for number, (pk, sk) in enumerate(kinds, 1):
        image = next(i for i in items if i["pk"]["S"].startswith(pk) and i["sk"]["S"].startswith(sk))
        keys = {name: image[name] for name in ("pk", "sk")}
        change = {"SequenceNumber": str(number), "Keys": keys, "NewImage": image}
        records.append({"eventSource": "aws:dynamodb", "eventName": "INSERT", "dynamodb": change})
    invoke(there, "reporting", {"Records": records, "shardId": f"shardId-{uuid.uuid4().hex}"})


def invoke(there, function, event):
    def binary(value):
        return base64.b64encode(value).decode()

    name = f"leadyard-{there.stack.stage}-{function}"
    payload = json.dumps(event, default=binary).encode()
    return json.loads(there.emulator.client("lambda").invoke(FunctionName=name, Payload=payload)["Payload"].read())


def sweep(there):
    invoke(there, "sweep", {})


def console(there):
    lead = there.some_lead
    for path in (f"leads/{lead}", f"leads/{lead}/recommendation", "rulebook", "changes", "waiting", "switches"):
        ask("GET", f"{there.console}/v1/{path}", headers=there.desk)
    for what in ({"email": f"ann1@{CANARY.lower()}.example"}, {"stage": "assigned"}, {"dealer": "hudson"}):
        ask("POST", f"{there.console}/v1/leads/search", what, there.desk)
    ask("POST", f"{there.console}/v1/leads/{lead}/note", {"text": "called"}, there.desk)
    pauses(there)
    status, posted = there.post()
    ask("POST", f"{there.console}/v1/leads/{posted['lead']}/erase", {"reason": "requested"}, there.desk)


DOES = {
    "leads": leads,
    "interactions": interactions,
    "spill": spill,
    "scoring": interactions,
    "distribution": distribution,
    "delivery": delivery,
    "mail-events": mail_events,
    "sweep": sweep,
    "reporting": reporting,
    "console": console,
}


def granted(there):
    """Each action of each statement of each function's role, but for what Lambda does itself."""
    for function in DOES:
        one = Without(there, function)
        for number, statement in enumerate(one.policy["Statement"]):
            for action in many(statement["Action"]):
                # The emulator's own way of asking for a batch (`Stack.allow_batches`).
                if action not in OF_LAMBDA and action != "sqs:SendMessageBatch":
                    resources = many(statement["Resource"])
                    on = sorted(resource.rsplit(":", 1)[-1].rsplit("deployed", 1)[-1] for resource in resources)
                    yield function, number, action, " ".join(filter(None, on)) or "the table"


# What a process reads when it begins, or keeps for a while: it begins anew.
READ_ONCE = {"secretsmanager:GetSecretValue", "dynamodb:GetItem", "dynamodb:BatchGetItem"}


def refused_without(there, function, number, action):
    """Whether the loss of a permission is noticed, within seconds."""
    actions = [action, "sqs:SendMessageBatch"] if action == "sqs:SendMessage" else [action]
    with Without(there, function, *actions, statement=number) as _:
        role = Without(there, function).role
        if action in READ_ONCE:
            processes = lambda: set(there.emulator.bootstraps(f"leadyard-{there.stack.stage}-{function}"))
            killed = processes()
            for process in killed:
                with contextlib.suppress(OSError):
                    os.kill(process, signal.SIGKILL)
            # One that is still dying may be given the only call there is, and read nothing.
            until("they are gone", lambda: not killed & processes())
        before = len(there.emulator.refused())
        DOES[function](there)
        for _ in range(50):
            new = there.emulator.refused()[before:]
            if any(f"/{role}/" in principal and what in actions for principal, what in new):
                return True
            time.sleep(0.1)
    return False


# One of each function, in every run: what is quickly missed.
ONE_EACH = {
    "leads": "dynamodb:PutItem on the table",
    "interactions": "sqs:SendMessage on -interactions",
    "spill": "dynamodb:PutItem on the table",
    "scoring": "dynamodb:UpdateItem on the table",
    "distribution": "dynamodb:GetItem on the table",
    "delivery": "sqs:SendMessage on dealer-*",
    "mail-events": "dynamodb:UpdateItem on the table",
    "sweep": "dynamodb:Query on /index/arrivals /index/due /index/stage",
    "reporting": "dynamodb:PutItem on the table",
    "console": "dynamodb:GetItem on the table",
}


def each_function_misses_a_permission(there):
    """A quick part of `a_permission_less_is_noticed`. Nothing is looked at afterwards: what failed comes again meanwhile."""
    assert set(ONE_EACH) == set(DOES), "one of each function"
    there.some_lead = there.lead()
    wanted = dict(ONE_EACH)
    for function, number, action, on in granted(there):
        if wanted.get(function) == f"{action} on {on}":
            del wanted[function]
            assert refused_without(there, function, number, action), f"{function} does without {action} on {on}"
    assert not wanted, f"no role has these: {wanted}"


def a_permission_less_is_noticed(there):
    there.some_lead = there.lead()
    events = there.emulator.client("events")
    rule = next(rule["Name"] for rule in events.list_rules()["Rules"] if "Sweep" in rule["Name"])
    # The sweep is called when it is its turn here; what it is to claim is overdue until it may.
    events.disable_rule(Name=rule)
    with Without(there, "leads", "sqs:SendMessage", "sqs:SendMessageBatch"):
        there.lead()
    began, noticed, unnoticed = time.monotonic(), 0, []

    def when(one):
        """The sweep last, and what it claims with and sends with before anything lets it do both."""
        function, _, action, _ = one
        return function == "sweep", action != "dynamodb:UpdateItem", action != "sqs:SendMessage"

    for function, number, action, on in sorted(granted(there), key=when):
        if function == "sweep":
            time.sleep(max(0, began + OVERDUE_S - time.monotonic()))
        if refused_without(there, function, number, action):
            noticed += 1
        else:
            unnoticed.append((function, f"{action} on {on}"))
    events.enable_rule(Name=rule)
    print(f"    {noticed} permissions taken away one by one and missed, {len(unnoticed)} not", flush=True)
    surprising = [(function, what) for function, what in unnoticed if what not in ELSEWHERE.get(function, [])]
    assert not surprising, f"granted, and missed by nobody: {surprising}"
