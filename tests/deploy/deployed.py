"""The deployed system as those see it who use it: who posts leads, the desk, a dealer with a queue of its own."""

import base64
import datetime
import hashlib
import hmac
import http.server
import json
import pathlib
import re
import shutil
import subprocess
import threading
import uuid

from emulator import REGION, ask, until

HERE = pathlib.Path(__file__).parent
CANARY = "Quackenbush"
# Whom letters to dealers come from, and SES's identity of its domain.
SENDER = "desk@acme.example"
MAIL_IDENTITY = f"arn:aws:ses:{REGION}:000000000000:identity/acme.example"


class Webhook:
    """A dealer's server: what it was posted, in order. Its first answers may be lost: it takes what comes, and hangs up."""

    def __init__(self):
        self.received, self.loses = [], 0
        webhook = self

        class Server(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                webhook.received.append((body, {name.lower(): value for name, value in self.headers.items()}))
                if webhook.loses > 0:
                    webhook.loses -= 1
                    self.close_connection = True
                    return
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{server.server_port}/leads"

    def posted(self, lead):
        return [(body, headers) for body, headers in list(self.received) if lead.encode() in body]

    @staticmethod
    def signature(secret, body, headers):
        """As Standard Webhooks has it: HMAC-SHA-256 of `id.timestamp.body`."""
        key = base64.b64decode(secret.removeprefix("whsec_"))
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


class Deployed:
    """What the journeys go over."""

    def __init__(self, stack, leadyard, between, folder):
        self.stack, self.leadyard, self.between, self.folder = stack, leadyard, between, folder
        self.emulator = stack.emulator
        self.sqs = self.emulator.client("sqs")
        self.sns = self.emulator.client("sns")
        self.ses = self.emulator.client("sesv2")
        self.leads = stack.front("LeadsUrl")
        self.interactions = stack.front("InteractionsUrl")
        self.console = stack.front("ConsoleUrl")
        self.posted = 0

    def begin(self):
        """The keys from the secret, the rulebook by the console, a dealer's queue, another's server."""
        self.webhook = Webhook()
        rules = self.rules()
        secrets = self.emulator.client("secretsmanager")
        key = secrets.get_secret_value(SecretId=self.stack.outputs["MasterKeySecret"])["SecretString"]
        assert re.fullmatch("[0-9a-f]{64}", key), "the template makes a key of 64 hexadecimal digits"
        told = self.run("keys", rules, input=key)
        self.keys = json.loads(told)
        self.source = self.keys["sources"][0]
        self.desk = {"authorization": f"Bearer {self.keys['desk_token']}"}
        self.run("apply", rules, "--url", self.console, "--token", self.keys["desk_token"])
        self.dealer = self.sqs.create_queue(QueueName="dealer-hudson")["QueueUrl"]

    def rules(self):
        """Those of the README, a dealer in Georgia with a server of its own, and in Alabama one that reads mail, with
        Hudson farther away."""
        rules = self.folder / "rules"
        shutil.copytree(HERE / "rules", rules)
        more = {
            "company.toml": f'[mail]\nfrom = "{SENDER}"\nname = "Deployed Leads"\n',
            "areas.csv": "georgia,state:GA\nalabama,state:AL\n",
            "channels.csv": f"peach,1,webhook,{self.webhook.url}\nmagnolia,1,mail,leads@magnolia.example\n",
            "contracts.csv": (
                "peach,peach,*,*,georgia,12.00\n"
                "magnolia,magnolia,*,*,alabama,11.00\n"
                "hudson-alabama,hudson,*,*,alabama,9.00\n"
            ),
            "dealers.csv": (
                "peach,outside,Peach Roofing,Desk,leads@peach.example,,30303,America/New_York,24/7,deliver\n"
                "magnolia,outside,Magnolia Roofing,Desk,,,35203,America/Chicago,24/7,deliver\n"
            ),
        }
        for name, lines in more.items():
            with open(rules / name, "a") as file:
                file.write(lines)
        return rules

    def run(self, *command, input=None, env=None):
        done = subprocess.run(
            [self.leadyard, *command], input=input, env=env, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, f"leadyard {command[0]}: {done.stderr}{done.stdout}"
        return done.stdout

    @staticmethod
    def now():
        return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")

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

    def spills(self, person):
        """An enquiry as intake leaves it in the queue when the table does not take it."""
        spilled = {
            "enquiry": str(uuid.uuid4()),
            "company": "deployed",
            "source": "web",
            "received_at": self.now(),
            "content_type": "application/json",
            "body": base64.b64encode(json.dumps(person).encode()).decode(),
            "trusted": True,
            "visitor": None,
            "gpc": False,
            "user_agent": None,
        }
        url = self.stack.outputs["SpillQueueUrl"]
        self.sqs.send_message(QueueUrl=url, MessageBody=json.dumps({"v": 1, "m": spilled}))

    def ses_says(self, event):
        """Of a mail, as SES does: to wherever the configuration set wants to hear of such."""
        name, kind = f"leadyard-{self.stack.stage}", event["eventType"].upper()
        asked = self.ses.get_configuration_set_event_destinations(ConfigurationSetName=name)["EventDestinations"]
        wanted = [one for one in asked if one["Enabled"] and kind in one["MatchingEventTypes"]]
        assert wanted, f"nobody wants to hear of {kind}: {asked}"
        for one in wanted:
            self.sns.publish(TopicArn=one["SnsDestination"]["TopicArn"], Message=json.dumps(event))

    def changes(self, act):
        """What the desk is told of that kind."""
        status, log = ask("GET", f"{self.console}/v1/changes", headers=self.desk)
        assert status == 200, (status, log)
        return [change for change in log["changes"] if change["act"] == act]

    def bodies(self, queue_url):
        """What a queue holds, left there."""
        found = self.sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10, VisibilityTimeout=0)
        return [message["Body"] for message in found.get("Messages", [])]

    @staticmethod
    def kind(message):
        """What a dealer's message says happened."""
        return message["MessageAttributes"]["type"]["StringValue"]

    @staticmethod
    def webhook_id(message):
        return message["MessageAttributes"]["webhook-id"]["StringValue"]

    @staticmethod
    def data(message):
        return json.loads(message["Body"])["data"]

    def dead_letters(self):
        """What no try could handle, by queue."""
        queues = [url for name, url in self.stack.outputs.items() if name.endswith("QueueUrl")]
        held = {url: self.bodies(url + "-dead") for url in queues}
        return {url: bodies for url, bodies in held.items() if bodies}

    def patience(self, queue_url, seconds):
        """How long a queue waits for whoever took a message; what it was before."""
        asked = self.sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["VisibilityTimeout"])
        self.sqs.set_queue_attributes(QueueUrl=queue_url, Attributes={"VisibilityTimeout": str(seconds)})
        return int(asked["Attributes"]["VisibilityTimeout"])

    def logged(self):
        """What the functions logged so far: (group, line)."""
        logs = self.emulator.client("logs")
        prefix = f"/aws/lambda/leadyard-{self.stack.stage}-"
        for group in logs.describe_log_groups(logGroupNamePrefix=prefix)["logGroups"]:
            name, more = group["logGroupName"], {}
            while True:
                page = logs.filter_log_events(logGroupName=name, **more)
                yield from ((name, event["message"]) for event in page["events"])
                if not page.get("nextToken"):
                    break
                more = {"nextToken": page["nextToken"]}
