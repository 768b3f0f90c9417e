"""The template deployed on an emulator that enforces its roles, and what a customer does with it.

    journeys.py TEMPLATE LEADYARD SAM MINISTACK MICROBURST

TEMPLATE is what `sam build` made, LEADYARD the command line, MINISTACK and MICROBURST the Pythons that have them.
Everything is asked from outside, by the stack's outputs. JOURNEYS, in the environment, names those to go alone.
"""

import contextlib
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

import mails
import permissions
import transformed
import trouble
from between import Between
from deployed import CANARY, HERE, MAIL_IDENTITY, Deployed
from emulator import REGION, Emulator, Stack, ask, free_port, until
from permissions import Without

STAGE = "deployed"


# --- What is checked without a stack ---

VARIABLES = {
    "LEADYARD_TABLE": "leadyard",
    "LEADYARD_INTERACTIONS_QUEUE_URL": "https://queues.example/1/interactions",
    "LEADYARD_DISTRIBUTION_QUEUE_URL": "https://queues.example/1/distribution",
    "LEADYARD_DELIVERY_QUEUE_URL": "https://queues.example/1/delivery",
    "LEADYARD_SPILL_QUEUE_URL": "https://queues.example/1/spill",
    "LEADYARD_MASTER_KEY_SECRET": "arn:aws:secretsmanager:us-east-1:000000000000:secret:key",
}


# What each may not be: something of another kind, as when two parameters are mixed up.
MALFORMED = {
    "LEADYARD_TABLE": "https://queues.example/1/delivery",
    "LEADYARD_INTERACTIONS_QUEUE_URL": "interactions",
    "LEADYARD_DISTRIBUTION_QUEUE_URL": "arn:aws:sqs:us-east-1:000000000000:distribution",
    "LEADYARD_DELIVERY_QUEUE_URL": "https://queues.example/delivery",
    "LEADYARD_SPILL_QUEUE_URL": "https://queues.example/1/spill.fifo",
    "LEADYARD_MASTER_KEY_SECRET": "a key of my own",
    "LEADYARD_CONSOLE_URL": "the console",
    "LEADYARD_OIDC_ISSUER": "id.example",
}


def a_function_that_lacks_something_says_what(bootstraps):
    """Each stops in init, with one line that names the variable; so does one whose variable is malformed, and one that
    cannot reach its secrets."""
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
        for name, value in MALFORMED.items():
            done = subprocess.run(
                [bootstrap], env=nobody | VARIABLES | {name: value}, capture_output=True, text=True, timeout=60
            )
            said = done.stderr.strip().splitlines()
            assert done.returncode != 0 and len(said) == 1, (bootstrap, name, done)
            assert f"{name}: must be a" in said[0] and value not in said[0], (bootstrap, name, said)


# --- The journeys, in order ---


def a_lead_reaches_its_dealer(there):
    lead = there.lead()
    message = there.dealer_gets(lead)
    assert message["MessageAttributes"]["type"]["StringValue"] == "lead.assigned", message
    assert CANARY in message["Body"]
    until("the desk sees it sold", lambda: (there.story(lead) or {}).get("stage") == "assigned")


def a_lead_reaches_a_dealers_webhook(there):
    """Signed with the dealer's own secret; and a dealer that took it and did not say so is sent the same once more."""
    status, made = ask("POST", f"{there.console}/v1/dealers/peach/secret", {}, there.desk)
    assert status in (200, 201), (status, made)
    there.webhook.loses = 1
    status, answer = there.post(there.person() | {"zip": "30303"})
    assert status == 201, (status, answer)
    lead = answer["lead"]
    until("it is posted until it is answered", lambda: len(there.webhook.posted(lead)) == 2)
    twice = there.webhook.posted(lead)
    for body, headers in twice:
        signed = there.webhook.signature(made["secret"], body, headers)
        assert signed in headers["webhook-signature"].split(" "), headers
        told = json.loads(body)
        assert told["type"] == "lead.assigned" and CANARY in told["data"]["person"]["last_name"], told
    (first, at_first), (second, at_second) = twice
    assert first == second and at_first["webhook-id"] == at_second["webhook-id"], (at_first, at_second)
    seat = until("the desk sees it received", lambda: next((
        one for one in there.story(lead)["assignments"] if one["delivery"] == "received"
    ), None))
    assert (seat["dealer"], seat["attempt_count"], seat["next_attempt_at"]) == ("peach", 2, None), seat
    assert len(there.webhook.posted(lead)) == 2, "what was answered is sent no more"


def one_person_is_one_lead(there):
    person = there.person()
    (_, first), (status, second) = there.post(person), there.post(person)
    assert first["lead"] == second["lead"] and status in (200, 201), (first, status, second)


def interactions_move_the_score(there):
    lead = there.lead()
    before = until("the story", lambda: there.story(lead))["score"]
    one = {"id": "request-1", "kind": "quote_request", "at": there.now(), "lead": lead}
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
                    {"id": [n] * 8, "kind": "quote_request", "at": there.now(), "of": {"lead": lead}}
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


def a_failed_message_is_named(there):
    """AWS fails a whole batch whose answer names a message that is not in it, or none; the emulator lets that pass."""
    client = there.emulator.client("lambda")
    for function in ("spill", "scoring", "distribution", "delivery", "mail-events"):
        poison = {"body": '{"v": 1, "m": "poison"}', "eventSource": "aws:sqs"}
        records = [{"messageId": f"message-{n}", "receiptHandle": f"handle-{n}"} | poison for n in range(3)]
        name = f"leadyard-{STAGE}-{function}"
        answer = client.invoke(FunctionName=name, Payload=json.dumps({"Records": records}).encode())
        told = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, (function, told)
        named = [failure["itemIdentifier"] for failure in told["batchItemFailures"]]
        assert named == ["message-0", "message-1", "message-2"], (function, told)


def dead_letters_go_back(there):
    """What was set aside, and would succeed by now, is moved back as the runbook says."""
    url = there.stack.outputs["InteractionsQueueUrl"]
    dead = url + "-dead"
    lead = there.lead()
    did = {"id": [77] * 8, "kind": "quote_request", "at": there.now(), "of": {"lead": lead}}
    body = json.dumps({"v": 1, "m": {"company": "deployed", "interactions": [did]}})
    there.sqs.send_message(QueueUrl=dead, MessageBody=body, MessageGroupId="deployed")
    moved = json.loads(there.run("redrive", url, env=there.emulator.environment()))
    assert moved == {"moved": 1, "refused": 0}, moved
    until("it counts", lambda: there.count(lead, "quote_request") == 1)
    assert not there.bodies(dead)


def what_ses_says_reaches_its_function(there):
    """Over the topic, its subscription and the queue's policy: a mail that is not ours is heard of, and passed over."""
    event = HERE.parent.parent / "shared/domain/src/delivery/mail_event/delivery.json"
    logs = there.emulator.client("logs")
    there.ses_says(json.loads(event.read_text()))
    group = f"/aws/lambda/leadyard-{STAGE}-mail-events"
    heard = lambda: any(
        "a mail that is not ours" in event["message"]
        for event in logs.filter_log_events(logGroupName=group)["events"]
    )
    until("it is heard of", heard)


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


# What a poison message makes its function say; nothing else is to go wrong.
OF_POISON = "interactions could not be added"


def nobody_stands_in_the_logs_and_nothing_went_wrong(there):
    for group, line in nobody_stands_in_the_logs(there):
        wrong = re.search('"level": ?"(WARN|ERROR)"|Error:', line)
        assert not wrong or OF_POISON in line, (group, line)
    assert not there.emulator.refused(), there.emulator.refused()


def nobody_stands_in_the_logs(there):
    lines = list(there.logged())
    assert lines, "the functions log"
    for _, line in lines:
        assert CANARY.lower() not in line.lower(), line
    return lines


def nothing_is_left(there):
    began_ms = time.time() * 1000
    there.stack.delete()
    there.sqs.delete_queue(QueueUrl=there.dealer)
    of = there.emulator.client
    prefix = f"leadyard-{STAGE}"
    left = [name for name in of("dynamodb").list_tables()["TableNames"] if name.startswith(prefix)]
    left += there.sqs.list_queues(QueueNamePrefix=prefix).get("QueueUrls", [])
    left += [f["FunctionName"] for f in of("lambda").list_functions()["Functions"] if f["FunctionName"].startswith(prefix)]
    # What an invocation still says when its group is gone makes the emulator a new one; on AWS no role may make one.
    groups = of("logs").describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{prefix}")["logGroups"]
    left += [group["logGroupName"] for group in groups if group["creationTime"] < began_ms]
    left += [t["TopicArn"] for t in of("sns").list_topics()["Topics"] if prefix in t["TopicArn"]]
    left += [r["RoleName"] for r in of("iam").list_roles()["Roles"] if r["RoleName"].startswith(there.stack.name)]
    left += [s["Name"] for s in of("secretsmanager").list_secrets()["SecretList"]]
    left += [a["AlarmName"] for a in of("cloudwatch").describe_alarms()["MetricAlarms"]]
    left += [d["DashboardName"] for d in of("cloudwatch").list_dashboards()["DashboardEntries"]]
    left += [m["EventSourceArn"] for m in of("lambda").list_event_source_mappings()["EventSourceMappings"]]
    left += [r["Name"] for r in of("events").list_rules()["Rules"]]
    left += [a["Name"] for a in of("apigatewayv2").get_apis()["Items"]]
    left += [d["DomainName"] for d in of("apigatewayv2").get_domain_names()["Items"]]
    left += [c["Name"] for c in of("ses").list_configuration_sets()["ConfigurationSets"]]
    left += [s["Endpoint"] for s in of("sns").list_subscriptions()["Subscriptions"]]
    assert not left, left


def something_is_there(there):
    """Of each kind that `nothing_is_left` looks for: one that the emulator lists none of would be looked for in vain."""
    of = there.emulator.client
    assert len(of("cloudwatch").list_dashboards()["DashboardEntries"]) == 2
    assert len(of("lambda").list_event_source_mappings()["EventSourceMappings"]) == 6
    assert of("events").list_rules()["Rules"]
    assert of("ses").list_configuration_sets()["ConfigurationSets"]
    assert of("sns").list_subscriptions()["Subscriptions"]


def what_happened_is_in_the_reports(there):
    """By the table's stream, its mapping and its filters."""

    def counted():
        status, report = ask("GET", f"{there.console}/v1/reports/funnel", headers=there.desk)
        assert status == 200, (status, report)
        return report["whole"]["enquiries"] >= 2 and report["whole"]["delivered"] >= 1

    until("enquiries and a delivery are counted", counted)


def a_recount_of_the_table_says_what_the_stream_said(there):
    """`leadyard rebuild-reports --table`, while the stream's mapping is off, as the runbook says; twice as well as once."""
    lambdas = there.emulator.client("lambda")
    mappings = lambdas.list_event_source_mappings()["EventSourceMappings"]
    mapping = next(one["UUID"] for one in mappings if f"leadyard-{STAGE}-reporting" in one["FunctionArn"])

    def funnel():
        status, report = ask("GET", f"{there.console}/v1/reports/funnel", headers=there.desk)
        assert status == 200, (status, report)
        return report["whole"]

    def is_switched(state):
        return lambdas.get_event_source_mapping(UUID=mapping)["State"] == state

    lambdas.update_event_source_mapping(UUID=mapping, Enabled=False)
    until("the mapping is off", lambda: is_switched("Disabled"))
    counted = funnel()

    def recounted():
        told = there.run(
            "rebuild-reports", "--table", f"leadyard-{STAGE}", "--json", env=there.emulator.environment()
        )
        told = json.loads(told)
        assert told["items"] > 0 and told["days"] >= 1 and told["unreadable"] == 0, told
        return funnel()

    said = [recounted()]
    # What the stream had not brought yet is there as well.
    assert all(said[0][name] >= counted[name] for name in ("enquiries", "leads", "delivered")), (counted, said)

    def stands():
        said.append(recounted())
        return said[-1] == said[-2]

    # A delivery may still be on its way. One that counted beside what stood there would never say the same again.
    until("two recounts in a row say the same", stands)
    lambdas.update_event_source_mapping(UUID=mapping, Enabled=True)
    until("the mapping is on", lambda: is_switched("Enabled"))


JOURNEYS = [
    something_is_there,
    a_lead_reaches_its_dealer,
    a_lead_reaches_a_dealers_webhook,
    one_person_is_one_lead,
    what_happened_is_in_the_reports,
    a_recount_of_the_table_says_what_the_stream_said,
    interactions_move_the_score,
    a_poison_message_ends_alone,
    dead_letters_go_back,
    what_ses_says_reaches_its_function,
    mails.a_mail_that_bounces_ends_its_channel_and_its_lead_moves_on,
    nobody_stands_in_the_logs_and_nothing_went_wrong,
    a_failed_message_is_named,
    what_the_table_does_not_take_comes_in_later,
    what_no_queue_took_is_swept,
]
# What it makes fail comes again, and is waited for by nobody.
LAST = [permissions.each_function_misses_a_permission]
# Each waits for something that does not come.
ON_DEMAND = [permissions.a_permission_less_is_noticed]


def main(template, leadyard, sam, ministack, microburst):
    alone = os.environ.get("JOURNEYS", "").split()
    began = time.monotonic()
    bootstraps = sorted(pathlib.Path(template).parent.glob("*/bootstrap"))
    if not alone:
        for check in transformed.CHECKS:
            check()
            print(f"ok  {check.__name__}", flush=True)
        a_function_that_lacks_something_says_what(bootstraps)
        print(f"ok  a_function_that_lacks_something_says_what  {time.monotonic() - began:.1f} s", flush=True)
    with contextlib.ExitStack() as ends:
        folder = pathlib.Path(ends.enter_context(tempfile.TemporaryDirectory()))
        port, port_between = free_port(), free_port()
        emulator = Emulator(ministack, folder, port, f"http://127.0.0.1:{port_between}")
        ends.callback(emulator.stop)
        between = Between(microburst, folder, port_between, emulator.url)
        ends.callback(between.stop)
        between.warm(emulator)
        stack = Stack(emulator, sam, template, "leadyard", STAGE)
        emulator.client("sesv2").create_email_identity(EmailIdentity=MAIL_IDENTITY.rsplit("/", 1)[-1])
        began = time.monotonic()
        stack.deploy(MailIdentityArn=MAIL_IDENTITY)
        print(f"deployed in {time.monotonic() - began:.1f} s", flush=True)
        there = Deployed(stack, leadyard, between, folder)
        there.begin()
        journeys = JOURNEYS + trouble.JOURNEYS + LAST + (ON_DEMAND if os.environ.get("PERMISSIONS") else [])
        if alone:
            journeys = [journey for journey in journeys + ON_DEMAND if journey.__name__ in alone]
        for journey in [*journeys, nobody_stands_in_the_logs, nothing_is_left]:
            began = time.monotonic()
            journey(there)
            print(f"ok  {journey.__name__}  {time.monotonic() - began:.1f} s", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
