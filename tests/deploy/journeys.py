"""The template deployed on an emulator that enforces its roles, and what a customer does with it.

    journeys.py TEMPLATE LEADYARD SAM MINISTACK

TEMPLATE is what `sam build` made, LEADYARD the command line. Everything is asked from outside, by the stack's outputs.
"""

import datetime
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

from emulator import REGION, Emulator, Stack, ask, free_port, until

HERE = pathlib.Path(__file__).parent
STAGE = "deployed"
CANARY = "Quackenbush"


class Deployed:
    """What the journeys go over."""

    def __init__(self, stack, leadyard):
        self.stack, self.leadyard = stack, leadyard
        self.emulator = stack.emulator
        self.sqs = self.emulator.client("sqs")
        self.leads = stack.front("LeadsUrl")
        self.interactions = stack.front("InteractionsUrl")
        self.console = stack.front("ConsoleUrl")
        self.posted = 0

    def begin(self):
        """The keys from the secret, the rulebook by the console, a dealer's queue."""
        secrets = self.emulator.client("secretsmanager")
        key = secrets.get_secret_value(SecretId=self.stack.outputs["MasterKeySecret"])["SecretString"]
        assert re.fullmatch("[0-9a-f]{64}", key), "the template makes a key of 64 hexadecimal digits"
        told = self.run("keys", HERE / "rules", input=key)
        self.keys = json.loads(told)
        self.source = self.keys["sources"][0]
        self.desk = {"authorization": f"Bearer {self.keys['desk_token']}"}
        self.run("apply", HERE / "rules", "--url", self.console, "--token", self.keys["desk_token"])
        self.dealer = self.sqs.create_queue(QueueName="dealer-hudson")["QueueUrl"]

    def run(self, *command, input=None, env=None):
        done = subprocess.run(
            [self.leadyard, *command], input=input, env=env, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, f"leadyard {command[0]}: {done.stderr}{done.stdout}"
        return done.stdout

    def person(self):
        self.posted += 1
        n = self.posted
        return {
            "name": f"Ann{n} {CANARY}{n}",
            "email": f"ann{n}@{CANARY.lower()}.example",
            "phone": f"+1305{2_740_000 + n:07}",
            "zip": "33101",
        }

    def post(self, person=None):
        """A page's server posts an enquiry."""
        headers = {"authorization": f"Bearer {self.source['secret']}"}
        return ask("POST", f"{self.leads}/v1/leads/{self.source['key']}", person or self.person(), headers)

    def lead(self):
        status, answer = self.post()
        assert status == 201, (status, answer)
        return answer["lead"]

    def story(self, lead):
        status, story = ask("GET", f"{self.console}/v1/leads/{lead}", headers=self.desk)
        return story if status == 200 else None

    def told(self):
        """What the dealer's queue has, taken out."""
        found = self.sqs.receive_message(
            QueueUrl=self.dealer, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
        ).get("Messages", [])
        for message in found:
            self.sqs.delete_message(QueueUrl=self.dealer, ReceiptHandle=message["ReceiptHandle"])
        return found

    def dealer_gets(self, lead, wait_s=60):
        return until(
            f"the dealer has lead {lead}",
            lambda: next((m for m in self.told() if lead in m["Body"]), None),
            wait_s,
        )

    def count(self, lead, kind):
        story = self.story(lead) or {}
        return sum(did["count"] for did in story.get("interactions", []) if did["kind"] == kind)

    def report(self, *interactions):
        headers = {"authorization": f"Bearer {self.source['secret']}"}
        url = f"{self.interactions}/v1/interactions/{self.source['key']}"
        status, answer = ask("POST", url, list(interactions), headers)
        assert status in (200, 202, 204), (status, answer)

    def bodies(self, queue_url):
        """What a queue holds, left there."""
        found = self.sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10, VisibilityTimeout=0)
        return [message["Body"] for message in found.get("Messages", [])]


def now():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


# --- What is checked without a stack ---

VARIABLES = {
    "LEADYARD_TABLE": "leadyard",
    "LEADYARD_INTERACTIONS_QUEUE_URL": "https://queues.example/1/interactions",
    "LEADYARD_DISTRIBUTION_QUEUE_URL": "https://queues.example/1/distribution",
    "LEADYARD_DELIVERY_QUEUE_URL": "https://queues.example/1/delivery",
    "LEADYARD_SPILL_QUEUE_URL": "https://queues.example/1/spill",
    "LEADYARD_MASTER_KEY_SECRET": "arn:aws:secretsmanager:us-east-1:000000000000:secret:key",
}


def a_function_that_lacks_something_says_what(bootstraps):
    """Each stops in init, with one line that names the variable; so does one that cannot reach its secrets."""
    assert bootstraps, "sam build left bootstraps"
    nobody = {
        "AWS_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{free_port()}",
    }
    for bootstrap in bootstraps:
        for missing in [*VARIABLES, None]:
            given = {name: value for name, value in VARIABLES.items() if name != missing}
            done = subprocess.run(
                [bootstrap], env=nobody | given, capture_output=True, text=True, timeout=60
            )
            said = done.stderr.strip().splitlines()
            name = missing or "LEADYARD_MASTER_KEY_SECRET"
            rule = "is not set" if missing else "the secret that it names could not be read: "
            assert done.returncode != 0 and len(said) == 1, (bootstrap, missing, done)
            assert f"{name}: {rule}" in said[0], (bootstrap, missing, said)


# --- The journeys, in order ---


def a_lead_reaches_its_dealer(there):
    lead = there.lead()
    message = there.dealer_gets(lead)
    assert message["MessageAttributes"]["type"]["StringValue"] == "lead.assigned", message
    assert CANARY in message["Body"]
    until("the desk sees it sold", lambda: (there.story(lead) or {}).get("stage") == "assigned")


def one_person_is_one_lead(there):
    person = there.person()
    (_, first), (status, second) = there.post(person), there.post(person)
    assert first["lead"] == second["lead"] and status in (200, 201), (first, status, second)


def interactions_move_the_score(there):
    lead = there.lead()
    before = until("the story", lambda: there.story(lead))["score"]
    one = {"id": "request-1", "kind": "quote_request", "at": now(), "lead": lead}
    there.report(one)
    there.report(one)
    until("the interaction counts", lambda: there.count(lead, "quote_request") == 1)
    until("the score moved", lambda: there.story(lead)["score"] != before)
    time.sleep(1)
    assert there.count(lead, "quote_request") == 1, "twice reported is once done"


def a_poison_message_ends_alone(there):
    """Nine neighbours of one batch succeed. The queue is made impatient first: eight minutes is a long test."""
    url = there.stack.outputs["InteractionsQueueUrl"]
    dead = url + "-dead"
    lead = there.lead()
    there.sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "1"})
    good = [
        {
            "v": 1,
            "m": {
                "company": "deployed",
                "interactions": [
                    {"id": [n] * 8, "kind": "quote_request", "at": now(), "of": {"lead": lead}}
                ],
            },
        }
        for n in range(9)
    ]
    bodies = [json.dumps(message) for message in good]
    bodies.insert(4, '{"v": 1, "m": "poison"}')
    sent = there.sqs.send_message_batch(
        QueueUrl=url,
        Entries=[
            {"Id": str(n), "MessageBody": body, "MessageGroupId": "deployed"} for n, body in enumerate(bodies)
        ],
    )
    assert len(sent["Successful"]) == 10, sent
    until("the nine count", lambda: there.count(lead, "quote_request") == 9)
    held = until("the poison is among the dead", lambda: there.bodies(dead), 120)
    assert held == ['{"v": 1, "m": "poison"}'], held
    there.sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "60"})
    there.sqs.purge_queue(QueueUrl=dead)


def dead_letters_go_back(there):
    """What was set aside, and would succeed by now, is moved back as the runbook says."""
    url = there.stack.outputs["InteractionsQueueUrl"]
    dead = url + "-dead"
    lead = there.lead()
    did = {"id": [77] * 8, "kind": "quote_request", "at": now(), "of": {"lead": lead}}
    body = json.dumps({"v": 1, "m": {"company": "deployed", "interactions": [did]}})
    there.sqs.send_message(QueueUrl=dead, MessageBody=body, MessageGroupId="deployed")
    moved = json.loads(there.run("redrive", url, env=there.emulator.environment()))
    assert moved == {"moved": 1, "refused": 0}, moved
    until("it counts", lambda: there.count(lead, "quote_request") == 1)
    assert not there.bodies(dead)


def what_ses_says_reaches_its_function(there):
    """Over the topic, its subscription and the queue's policy: a mail that is not ours is heard of, and passed over."""
    event = HERE.parent.parent / "shared/domain/src/delivery/mail_event/delivery.json"
    sns, logs = there.emulator.client("sns"), there.emulator.client("logs")
    topics = [topic["TopicArn"] for topic in sns.list_topics()["Topics"]]
    topic = next(arn for arn in topics if arn.endswith(f"leadyard-{STAGE}-mail-events"))
    sns.publish(TopicArn=topic, Message=event.read_text())
    group = f"/aws/lambda/leadyard-{STAGE}-mail-events"
    heard = lambda: any(
        "a mail that is not ours" in event["message"]
        for event in logs.filter_log_events(logGroupName=group)["events"]
    )
    until("it is heard of", heard)


class Without:
    """A function whose role lacks some actions for a while."""

    def __init__(self, there, function, *actions):
        self.iam = there.emulator.client("iam")
        lambdas = there.emulator.client("lambda")
        name = f"leadyard-{STAGE}-{function}"
        self.role = lambdas.get_function_configuration(FunctionName=name)["Role"].rsplit("/", 1)[-1]
        self.policy = self.iam.get_role_policy(RoleName=self.role, PolicyName="least")["PolicyDocument"]
        self.actions = actions

    def put(self, policy):
        self.iam.put_role_policy(RoleName=self.role, PolicyName="least", PolicyDocument=json.dumps(policy))

    def __enter__(self):
        less, taken = [], 0
        for statement in self.policy["Statement"]:
            actions = statement["Action"]
            actions = [actions] if isinstance(actions, str) else actions
            left = [action for action in actions if action not in self.actions]
            taken += len(actions) - len(left)
            if left:
                less.append(statement | {"Action": left})
        assert taken, f"{self.role} has none of {self.actions}"
        self.put(self.policy | {"Statement": less})

    def __exit__(self, *_):
        self.put(self.policy)


WRITES = ["dynamodb:PutItem", "dynamodb:UpdateItem"]


def what_the_table_does_not_take_comes_in_later(there):
    """Intake's role loses the table: the enquiry is acknowledged all the same, and is a lead once, by the spill."""
    person = there.person()
    with Without(there, "leads", *WRITES), Without(there, "spill", *WRITES):
        status, answer = there.post(person)
        assert status == 202, (status, answer)
    told = until(
        "its dealer has it",
        lambda: next((m for m in there.told() if person["email"] in m["Body"]), None),
        180,
    )
    status, again = there.post(person)
    assert again["lead"] in told["Body"], "who asks again finds that lead: it came in once"


def what_no_queue_took_is_swept(there):
    """Intake's role loses its queues: the lead is kept, and the sweep hands it on by what the due index says."""
    with Without(there, "leads", "sqs:SendMessage", "sqs:SendMessageBatch"):
        lead = there.lead()
    there.dealer_gets(lead, 240)


# What each function cannot do without, and who notices.
NEEDED = [
    ("leads", ["dynamodb:PutItem"], a_lead_reaches_its_dealer),
    ("distribution", ["dynamodb:PutItem"], a_lead_reaches_its_dealer),
    ("delivery", ["sqs:SendMessage", "sqs:SendMessageBatch"], a_lead_reaches_its_dealer),
    ("delivery", ["dynamodb:PutItem"], a_lead_reaches_its_dealer),
    ("interactions", ["sqs:SendMessage", "sqs:SendMessageBatch"], interactions_move_the_score),
    ("scoring", ["dynamodb:UpdateItem"], interactions_move_the_score),
    ("console", ["dynamodb:Query"], a_lead_reaches_its_dealer),
    ("spill", ["dynamodb:PutItem"], what_the_table_does_not_take_comes_in_later),
    ("sweep", ["dynamodb:UpdateItem"], what_no_queue_took_is_swept),
]


def a_permission_less_is_noticed(there):
    for function, actions, journey in NEEDED:
        with Without(there, function, *actions):
            try:
                journey(there)
            except AssertionError:
                continue
        raise AssertionError(f"{function} without {actions}: {journey.__name__} noticed nothing")


# What a poison message makes its function say; nothing else is to go wrong.
OF_POISON = "interactions could not be added"


def nobody_stands_in_the_logs_and_nothing_went_wrong(there):
    logs = there.emulator.client("logs")
    lines = 0
    for group in logs.describe_log_groups(logGroupNamePrefix=f"/aws/lambda/leadyard-{STAGE}-")["logGroups"]:
        for event in logs.filter_log_events(logGroupName=group["logGroupName"])["events"]:
            lines += 1
            assert CANARY.lower() not in event["message"].lower(), event["message"]
            wrong = re.search('"level": ?"(WARN|ERROR)"|Error:', event["message"])
            assert not wrong or OF_POISON in event["message"], (group["logGroupName"], event["message"])
    assert lines, "the functions log"


def nothing_is_left(there):
    there.stack.delete()
    there.sqs.delete_queue(QueueUrl=there.dealer)
    of = there.emulator.client
    prefix = f"leadyard-{STAGE}"
    left = [name for name in of("dynamodb").list_tables()["TableNames"] if name.startswith(prefix)]
    left += there.sqs.list_queues(QueueNamePrefix=prefix).get("QueueUrls", [])
    left += [f["FunctionName"] for f in of("lambda").list_functions()["Functions"] if f["FunctionName"].startswith(prefix)]
    left += [g["logGroupName"] for g in of("logs").describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{prefix}")["logGroups"]]
    left += [t["TopicArn"] for t in of("sns").list_topics()["Topics"] if prefix in t["TopicArn"]]
    left += [r["RoleName"] for r in of("iam").list_roles()["Roles"] if r["RoleName"].startswith(there.stack.name)]
    left += [s["Name"] for s in of("secretsmanager").list_secrets()["SecretList"]]
    left += [a["AlarmName"] for a in of("cloudwatch").describe_alarms()["MetricAlarms"]]
    assert not left, left


JOURNEYS = [
    a_lead_reaches_its_dealer,
    one_person_is_one_lead,
    interactions_move_the_score,
    a_poison_message_ends_alone,
    dead_letters_go_back,
    what_ses_says_reaches_its_function,
    nobody_stands_in_the_logs_and_nothing_went_wrong,
    what_the_table_does_not_take_comes_in_later,
    what_no_queue_took_is_swept,
]
# Each waits for something that does not come.
ON_DEMAND = [a_permission_less_is_noticed]


def main(template, leadyard, sam, ministack):
    began = time.monotonic()
    bootstraps = sorted(pathlib.Path(template).parent.glob("*/bootstrap"))
    a_function_that_lacks_something_says_what(bootstraps)
    print(f"ok  a_function_that_lacks_something_says_what  {time.monotonic() - began:.1f} s", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        emulator = Emulator(ministack, pathlib.Path(folder))
        try:
            stack = Stack(emulator, sam, template, "leadyard", STAGE)
            began = time.monotonic()
            stack.deploy()
            print(f"deployed in {time.monotonic() - began:.1f} s")
            there = Deployed(stack, leadyard)
            there.begin()
            journeys = JOURNEYS + (ON_DEMAND if os.environ.get("PERMISSIONS") else [])
            for journey in [*journeys, nothing_is_left]:
                began = time.monotonic()
                journey(there)
                print(f"ok  {journey.__name__}  {time.monotonic() - began:.1f} s", flush=True)
        finally:
            emulator.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
