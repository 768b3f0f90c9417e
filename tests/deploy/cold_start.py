"""How long each function takes from nothing to its first answer, beside the least that such a function can be.

    cold_start.py TEMPLATE LEADYARD SAM MINISTACK BOOTSTRAPS

BOOTSTRAPS is a folder of release binaries by name. This program is the Lambda service to them: it speaks the Runtime
API (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html). Each is started as often as RUNS says (default 15),
one after another in every round, so that what the machine does besides falls on all of them. All of it is on this
machine: there is no download, no sandbox and no network in these figures, and a whole core where Lambda gives a part.
What they tell is the ratio. Most of a first invocation is the work itself, which is several calls where the least
function has one, each a millisecond or two of the emulator's: `cold` is what is left without it, init and first together
less the same work done warm.
"""

import http.server
import io
import json
import os
import pathlib
import queue
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import uuid
import zipfile

from deployed import Deployed
from emulator import REGION, Emulator, Stack, free_port, until

# Which binary each deployed function runs.
BINARIES = {
    "leads": "intake",
    "interactions": "intake",
    "spill": "intake",
    "scoring": "scoring",
    "distribution": "distribution",
    "delivery": "delivery",
    "mail-events": "delivery",
    "sweep": "sweep",
    "reporting": "reporting",
    "console": "console",
}
BAR, ZIP_MB, PEAK_MB = 1.25, 5, 64
STAGE = "deployed"


class RuntimeApi:
    """The Lambda service to one process after another."""

    def __init__(self):
        self.asked, self.events, self.answers = queue.Queue(), queue.Queue(), queue.Queue()
        there = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # Head and body are written apart: the second would wait for the first to be acknowledged.
            disable_nagle_algorithm = True

            def do_GET(self):
                there.asked.put(time.perf_counter())
                event = there.events.get()
                if event is None:
                    return  # the process is gone
                body = json.dumps(event).encode()
                self.send_response(200)
                self.send_header("Lambda-Runtime-Aws-Request-Id", str(uuid.uuid4()))
                self.send_header("Lambda-Runtime-Deadline-Ms", str(int(time.time() * 1000) + 30_000))
                self.send_header("Lambda-Runtime-Invoked-Function-Arn", f"arn:aws:lambda:{REGION}:0:function:it")
                self.send_header("Lambda-Runtime-Trace-Id", "Root=1-0-0;Sampled=0")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self):
                said = self.rfile.read(int(self.headers.get("content-length", 0)))
                there.answers.put((time.perf_counter(), self.path.rsplit("/", 1)[-1], said))
                self.send_response(202)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def invoke(self, event):
        """The answer to an event, and how long it took in milliseconds."""
        began = time.perf_counter()
        self.events.put(event)
        at, how, said = self.answers.get(timeout=30)
        assert how == "response", (how, said)
        return json.loads(said), (at - began) * 1000


def started(api, bootstrap, environment, events):
    """Starts a process, gives it its events, and ends it: milliseconds of init and of each event, and its peak in KB."""
    began = time.perf_counter()
    process = subprocess.Popen(
        [bootstrap],
        env=environment | {"AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{api.server.server_port}"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        init_ms = (api.asked.get(timeout=30) - began) * 1000
        took = []
        for event, is_right in events:
            answer, ms = api.invoke(event)
            assert is_right(answer), (bootstrap, answer)
            took.append(ms)
            api.asked.get(timeout=30)
        status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
        peak_kb = int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1])
        return init_ms, took, peak_kb
    finally:
        process.kill()
        process.wait()
        api.events.put(None)


def zipped_mb(bootstrap):
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.write(bootstrap, "bootstrap")
    return len(kept.getvalue()) / 1e6


# --- What each is asked ---


def over_http(method, path, headers, body=None):
    """A request as a function URL hands it on (payload format 2.0)."""
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"host": "leads.example", "content-type": "application/json"} | headers,
        "requestContext": {
            "accountId": "anonymous",
            "apiId": "it",
            "domainName": "leads.example",
            "domainPrefix": "it",
            "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "203.0.113.9", "userAgent": "it"},
            "requestId": "it",
            "routeKey": "$default",
            "stage": "$default",
            "time": "01/Jun/2026:16:00:00 +0000",
            "timeEpoch": int(time.time() * 1000),
        },
        "body": json.dumps(body) if body is not None else None,
        "isBase64Encoded": False,
    }


def of_a_queue(*bodies):
    """A batch as a queue's mapping hands it on."""
    record = lambda body: {
        "messageId": str(uuid.uuid4()),
        "receiptHandle": "it",
        "body": body,
        "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": str(int(time.time() * 1000))},
        "messageAttributes": {},
        "md5OfBody": "",
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:{REGION}:0:it",
        "awsRegion": REGION,
    }
    return {"Records": [record(body) for body in bodies]}


def well(answer):
    return answer["statusCode"] < 300


def whole(answer):
    return answer["batchItemFailures"] == []


class Work:
    """Events for every function. The queues' mappings are off, so that what one sends is there for the next."""

    def __init__(self, there):
        self.there = there
        lambdas = there.emulator.client("lambda")
        for mapping in lambdas.list_event_source_mappings()["EventSourceMappings"]:
            lambdas.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
        self.secret = {"authorization": f"Bearer {there.source['secret']}"}
        self.path = f"/v1/leads/{there.source['key']}"
        # One person through all of it, so that there are messages of every kind.
        self.lead = there.lead()

    def message(self, queue):
        """The next message of a queue, taken out."""
        url = self.there.stack.outputs[queue]
        take = lambda: self.there.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=1).get("Messages")
        message = until(f"a message of {queue}", take, 10)[0]
        self.there.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return message["Body"]

    def sent(self, queue, tell):
        self.there.sqs.purge_queue(QueueUrl=self.there.stack.outputs[queue])
        tell()
        return self.message(queue)

    def did(self):
        return {"id": str(uuid.uuid4()), "kind": "quote_request", "at": Deployed.now(), "lead": self.lead}

    def leads(self):
        return over_http("POST", self.path, self.secret, self.there.person()), well

    def interactions(self):
        path = self.path.replace("leads", "interactions")
        return over_http("POST", path, self.secret, [self.did()]), well

    def spill(self):
        # Nothing to bring in: what is left of it is reading and refusing one.
        return of_a_queue('{"v": 1, "m": "poison"}'), lambda answer: len(answer["batchItemFailures"]) == 1

    def scoring(self):
        return of_a_queue(self.sent("InteractionsQueueUrl", lambda: self.there.report(self.did()))), whole

    def distribution(self):
        return of_a_queue(self.sent("DistributionQueueUrl", self.there.lead)), whole

    def mail_events(self):
        event = pathlib.Path(__file__).parents[2] / "shared/domain/src/delivery/mail_event/delivery.json"
        return of_a_queue(json.dumps({"Type": "Notification", "Message": event.read_text()})), whole

    def sweep(self):
        return {"id": "it", "source": "aws.scheduler", "time": Deployed.now(), "detail": {}}, lambda _: True

    def reporting(self):
        """The lead, as the table's stream tells that it is new."""
        key = {"pk": {"S": f"L#{self.lead}"}, "sk": {"S": "L"}}
        dynamodb = self.there.emulator.client("dynamodb")
        lead = dynamodb.get_item(TableName=self.there.stack.outputs["TableName"], Key=key)["Item"]
        self.told = getattr(self, "told", 0) + 1
        stream = {"Keys": key, "NewImage": lead, "SequenceNumber": str(self.told), "StreamViewType": "NEW_AND_OLD_IMAGES"}
        record = {"eventID": str(self.told), "eventName": "INSERT", "eventSource": "aws:dynamodb", "dynamodb": stream}
        event = {"Records": [record], "shardId": "shardId-1", "eventSourceARN": "it"}
        event |= {"window": {"start": Deployed.now(), "end": Deployed.now()}, "state": {}, "isFinalInvokeForWindow": False, "isWindowTerminatedEarly": False}
        return event, whole

    def console(self):
        return over_http("GET", f"/v1/leads/{self.lead}", self.there.desk), well


def main(template, leadyard, sam, ministack, bootstraps):
    bootstraps, runs = pathlib.Path(bootstraps), int(os.environ.get("RUNS", "15"))
    with tempfile.TemporaryDirectory() as folder:
        folder, port = pathlib.Path(folder), free_port()
        # Nothing stands between the functions and the services here.
        emulator = Emulator(ministack, folder, port, f"http://127.0.0.1:{port}")
        try:
            stack = Stack(emulator, sam, template, "leadyard", STAGE)
            stack.deploy()
            there = Deployed(stack, leadyard, None, folder)
            there.begin()
            measure(there, bootstraps, runs)
        finally:
            emulator.stop()


def measure(there, bootstraps, runs):
    work, api = Work(there), RuntimeApi()
    lambdas = there.emulator.client("lambda")
    plain = {
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_ENDPOINT_URL": there.emulator.url,
        "AWS_LAMBDA_FUNCTION_NAME": "it",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
    }
    environments, taken = {"minimal": plain}, {}
    for function in BINARIES:
        told = lambdas.get_function_configuration(FunctionName=f"leadyard-{STAGE}-{function}")
        environments[function] = plain | told["Environment"]["Variables"] | {"AWS_ENDPOINT_URL": there.emulator.url}
    table = environments["leads"]["LEADYARD_TABLE"]
    least = lambda: ({"table": table}, lambda answer: answer == {"found": False})

    def delivery():
        distribution = work.distribution()
        started(api, bootstraps / "distribution", environments["distribution"], [distribution])
        return of_a_queue(work.message("DeliveryQueueUrl")), whole

    for run in range(runs):
        for function, environment in environments.items():
            if function == "minimal":
                event = least
            elif function == "delivery":
                event = delivery
            else:
                event = getattr(work, function.replace("-", "_"))
            events = [event(), event()]
            bootstrap = bootstraps / BINARIES.get(function, "minimal")
            taken.setdefault(function, []).append(started(api, bootstrap, environment, events))
    report(taken, bootstraps)


def report(taken, bootstraps):
    median = statistics.median

    def cold(starts):
        return median(init + took[0] - took[1] for init, took, _ in starts)

    base = median(init + took[0] for init, took, _ in taken["minimal"])
    base_cold = cold(taken["minimal"])
    load = pathlib.Path("/proc/loadavg").read_text().split()[0]
    print(f"medians of {len(taken['minimal'])} starts, in ms; load {load}; bars: {BAR} x, {ZIP_MB} MB, {PEAK_MB} MB")
    print(f"{'':14}{'init':>8}{'first':>8}{'both':>8}{'x':>7}{'warm':>8}{'cold':>8}{'x cold':>8}{'peak MB':>9}{'zip MB':>8}")
    for function, starts in taken.items():
        init, first = median(s[0] for s in starts), median(s[1][0] for s in starts)
        both, warm = median(s[0] + s[1][0] for s in starts), median(s[1][1] for s in starts)
        peak, size = max(s[2] for s in starts) / 1024, zipped_mb(bootstraps / BINARIES.get(function, "minimal"))
        over = [bar for bar, is_over in [("x", both / base > BAR), ("zip", size > ZIP_MB), ("peak", peak > PEAK_MB)] if is_over]
        print(
            f"{function:14}{init:8.1f}{first:8.1f}{both:8.1f}{both / base:7.2f}{warm:8.1f}{cold(starts):8.1f}"
            + f"{cold(starts) / base_cold:8.2f}{peak:9.1f}{size:8.2f}"
            + (f"  over the bar: {', '.join(over)}" if over else "")
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
