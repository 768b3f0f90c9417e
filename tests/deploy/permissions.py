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

from deployed import CANARY
from emulator import ask

# What Lambda itself does under a role. The emulator asks nobody for it: `tests/parity.rs` reads that it is there.
OF_LAMBDA = {
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "sqs:ReceiveMessage",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
}


# What is used on occasions that no journey here brings about. There, in the end-to-end tests, each function works under the
# same roles, and what it is not allowed fails the test (`tests/support/roles.rs`).
ELSEWHERE = {}


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
    person = there.person()
    there.post(person)
    there.post(person)
    there.post({"name": "Nobody", "zip": "33101"})
    ask("GET", f"{there.leads}/v1/quarantine", headers=there.desk)


def interactions(there):
    headers = {"authorization": f"Bearer {there.source['secret']}"}
    did = {"id": uuid.uuid4().hex, "kind": "quote_request", "at": there.now(), "lead": there.some_lead}
    ask("POST", f"{there.interactions}/v1/interactions/{there.source['key']}", [did], headers)


def spill(there):
    body = base64.b64encode(json.dumps(there.person()).encode()).decode()
    spilled = {
        "enquiry": str(uuid.uuid4()),
        "company": "deployed",
        "source": "web",
        "received_at": there.now(),
        "content_type": "application/json",
        "body": body,
        "trusted": True,
        "visitor": None,
        "gpc": False,
        "user_agent": None,
    }
    there.sqs.send_message(
        QueueUrl=there.stack.outputs["SpillQueueUrl"], MessageBody=json.dumps({"v": 1, "m": spilled})
    )


def sweep(there):
    there.emulator.client("lambda").invoke(FunctionName=f"leadyard-{there.stack.stage}-sweep", Payload=b"{}")


def console(there):
    lead = there.some_lead
    for path in (f"leads/{lead}", f"leads/{lead}/recommendation", "rulebook", "changes", "waiting", "switches"):
        ask("GET", f"{there.console}/v1/{path}", headers=there.desk)
    for what in ({"email": f"ann1@{CANARY.lower()}.example"}, {"stage": "assigned"}, {"dealer": "hudson"}):
        ask("POST", f"{there.console}/v1/leads/search", what, there.desk)
    ask("POST", f"{there.console}/v1/leads/{lead}/note", {"text": "called"}, there.desk)
    for switch in (True, False):
        ask("POST", f"{there.console}/v1/switches/pause", {"dealer": "hudson", "on": switch, "reason": "x"}, there.desk)


DOES = {
    "leads": leads,
    "interactions": interactions,
    "spill": spill,
    "scoring": interactions,
    "distribution": leads,
    "delivery": leads,
    "sweep": sweep,
    "console": console,
}


def granted(there):
    """Each action of each statement of each function's role, but for what Lambda does itself."""
    for function in [*DOES, "mail-events"]:
        one = Without(there, function)
        for number, statement in enumerate(one.policy["Statement"]):
            for action in many(statement["Action"]):
                # The emulator's own way of asking for a batch (`Stack.allow_batches`).
                if action not in OF_LAMBDA and action != "sqs:SendMessageBatch":
                    resources = many(statement["Resource"])
                    on = sorted(resource.rsplit(":", 1)[-1].rsplit("deployed", 1)[-1] for resource in resources)
                    yield function, number, action, " ".join(on)


def refused_without(there, function, number, action):
    """Whether the loss of a permission is noticed, within seconds."""
    actions = [action, "sqs:SendMessageBatch"] if action == "sqs:SendMessage" else [action]
    with Without(there, function, *actions, statement=number) as _:
        role = Without(there, function).role
        if action == "secretsmanager:GetSecretValue":
            # It is read once, when a process begins.
            for process in there.emulator.bootstraps(f"leadyard-{there.stack.stage}-{function}"):
                with contextlib.suppress(OSError):
                    os.kill(process, signal.SIGKILL)
        before = len(there.emulator.refused())
        DOES[function](there)
        for _ in range(50):
            new = there.emulator.refused()[before:]
            if any(f"/{role}/" in principal and what in actions for principal, what in new):
                return True
            time.sleep(0.1)
    return False


def a_permission_less_is_noticed(there):
    there.some_lead = there.lead()
    unnoticed, noticed = set(), 0
    for function, number, action, on in list(granted(there)):
        if function in DOES and refused_without(there, function, number, action):
            noticed += 1
        else:
            unnoticed.add((function, action, on))
            print(f"    unnoticed: {function} without {action} on {on}", flush=True)
    print(f"    {noticed} permissions taken away one by one and missed, {len(unnoticed)} not", flush=True)
