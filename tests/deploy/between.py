"""What stands between the functions and the emulator, and spoils some of their calls: microburst."""

import contextlib
import http.client
import json
import pathlib
import subprocess

from emulator import ask, until


class Between:
    """microburst; without rules it hands everything on."""

    def __init__(self, python, folder, port, upstream):
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.log = open(folder / "between.log", "wb")
        launcher = pathlib.Path(__file__).parent / "keep_host.py"
        self.process = subprocess.Popen(
            [python, launcher, "--port", str(port), "--upstream", upstream], stdout=self.log, stderr=self.log
        )
        until("what stands between", self.is_ready)

    def is_ready(self):
        with contextlib.suppress(OSError, http.client.HTTPException):
            return ask("GET", f"{self.url}/_microburst/health")[0] == 200

    def warm(self, emulator):
        """It reads what it knows of a service at its first call, for longer than a function waits."""
        for service, ask_something in [
            ("dynamodb", "list_tables"),
            ("sqs", "list_queues"),
            ("secretsmanager", "list_secrets"),
            ("sesv2", "list_email_identities"),
        ]:
            getattr(emulator.client(service, self.url), ask_something)()

    @contextlib.contextmanager
    def spoils(self, *rules):
        """For a while calls that fit a rule are spoilt as it says; what was counted before is forgotten."""
        ask("DELETE", f"{self.url}/_microburst/fired")
        status, answer = ask("POST", f"{self.url}/_microburst/rules", list(rules))
        assert status == 200, answer
        try:
            yield self
        finally:
            ask("DELETE", f"{self.url}/_microburst/rules")

    def spoilt(self):
        """The calls spoilt so far: (operation, what was done)."""
        _, fired = ask("GET", f"{self.url}/_microburst/fired")
        return [(one["operation"], one["action"]) for one in fired]

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.log.close()


# --- What may be done to a call ---

WRITES = ["PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems"]
OWN_QUEUES = ["distribution", "delivery", "interactions"]


def throttled(some):
    """The table refuses some of the calls, whatever they are, and the one after each succeeds."""
    code = "ProvisionedThroughputExceededException"
    return [{"service": "dynamodb", "error": {"code": code}, "sequence": {"fail": 1, "pass": 2}, "times": some}]


def reply_lost(some):
    """Some writes stand, and whoever wrote hears nothing of it."""
    lost = {"response": {"abort_bytes": 0}, "sequence": {"fail": 1, "pass": 1}}
    return [{"service": "dynamodb", "operation": write, "times": some} | lost for write in WRITES]


def conflicting(some):
    """Some transactions meet another on the same items."""
    reasons = [{"Code": "TransactionConflict", "Message": "Transaction is ongoing for the item"}, {"Code": "None"}]
    error = {"code": "TransactionCanceledException", "status": 400, "fields": {"CancellationReasons": reasons}}
    spoilt = {"service": "dynamodb", "operation": "TransactWriteItems", "error": error}
    return [spoilt | {"sequence": {"fail": 2, "pass": 1}, "times": some}]


def unsent(some):
    """Our own queues take nothing, however often they are asked, until so many messages were refused."""
    down = {"service": "sqs", "error": {"code": "ServiceUnavailable", "status": 503}, "times": some}
    to = [f"ends_with(QueueUrl, '-{queue}')" for queue in OWN_QUEUES]
    sends = ["SendMessage", "SendMessageBatch"]
    return [down | {"operation": send, "body": " || ".join(to)} for send in sends]


def sent_twice(some):
    """Our own queues take some messages and do not say so: they are sent again."""
    to = [f"ends_with(QueueUrl, '-{queue}')" for queue in OWN_QUEUES]
    lost = {"service": "sqs", "response": {"abort_bytes": 0}, "times": some}
    return [lost | {"operation": "SendMessage", "body": " || ".join(to)}]


def slow(ms):
    """Every write takes its time: whoever writes is in the midst of it for longer."""
    return [{"service": "dynamodb", "operation": write, "latency": ms} for write in WRITES]
