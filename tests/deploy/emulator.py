"""A local AWS that enforces the roles the template creates, and what is deployed on it."""

import contextlib
import http.client
import http.server
import json
import os
import pathlib
import socket
import subprocess
import threading
import time
import urllib.parse
import uuid

import boto3

HERE = pathlib.Path(__file__).parent
REGION = "us-east-1"


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def until(what, look, wait_s=60):
    """Looks until there is something to see."""
    end = time.monotonic() + wait_s
    while time.monotonic() < end:
        if seen := look():
            return seen
        time.sleep(0.1)
    raise AssertionError(f"{what}: not within {wait_s} s")


class Emulator:
    """MiniStack in a folder of its own. The functions reach it by `between`, a proxy's URL."""

    def __init__(self, python, folder, port, between):
        self.port, self.folder = port, folder
        self.url = f"http://127.0.0.1:{self.port}"
        # Whatever stands in its environment leaks into the functions.
        environment = {
            "PATH": "/usr/bin:/bin",
            "HOME": str(folder),
            "GATEWAY_PORT": str(self.port),
            "BIND_HOST": "127.0.0.1",
            "IOT_MTLS_ENABLED": "0",
            "AUTH": "true",
            "MINISTACK_REGION": REGION,
            "AWS_ENDPOINT_URL": between,
        }
        self.log = open(folder / "emulator.log", "wb")
        self.process = subprocess.Popen(
            [python, HERE / "emulate.py"], cwd=folder, env=environment, stdout=self.log, stderr=self.log
        )
        until("the emulator", self.is_ready)

    def is_ready(self):
        with contextlib.suppress(OSError):
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
            connection.request("GET", "/_ministack/health")
            return connection.getresponse().status == 200

    def bootstraps(self, *functions):
        """The processes that functions run in: MiniStack starts each bootstrap itself."""
        named = {f"AWS_LAMBDA_FUNCTION_NAME={function}".encode() for function in functions}
        ours = f"HOME={self.folder}".encode()
        found = []
        for process in pathlib.Path("/proc").glob("[0-9]*"):
            # One that ends meanwhile is none.
            with contextlib.suppress(OSError):
                environment = set((process / "environ").read_bytes().split(b"\0"))
                if ours in environment and named & environment:
                    found.append(int(process.name))
        return found

    def interrupted(self, function):
        """How many of its calls have ended with their process so far."""
        return self.said().count(f"Lambda {function}: Runtime exited before returning a response")

    def refused(self):
        """What roles were refused so far, each time: (principal, action)."""
        return [tuple(line.split()[1:3]) for line in self.said().splitlines() if line.startswith("REFUSED ")]

    def mails(self):
        """What SES took so far: each as it was asked to send it, and the id that it gave it."""
        *whole, _ = self.said().split("\n")
        return [json.loads(line.removeprefix("SENT ")) for line in whole if line.startswith("SENT ")]

    def said(self):
        return (self.folder / "emulator.log").read_text(errors="replace")

    def client(self, service, url=None):
        return boto3.client(
            service,
            region_name=REGION,
            endpoint_url=url or self.url,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

    def environment(self):
        """What the command lines are given to find it."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": os.environ["HOME"],
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_ENDPOINT_URL": self.url,
            "SAM_CLI_TELEMETRY": "0",
            "SAM_CLI_POLL_DELAY": "0.5",
        }

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()


class Stack:
    """The template, deployed."""

    def __init__(self, emulator, sam, template, name, stage):
        self.emulator, self.sam, self.template = emulator, sam, template
        self.name, self.stage = name, stage

    def deploy(self, template=None, **parameters):
        """Deploys as the README says; the machine that tests builds for its own processor, and has no CodeDeploy."""
        said = {"Stage": self.stage, "Architecture": "x86_64", "Protected": "false", "Gradual": "false"}
        said |= parameters
        self.run(
            "deploy",
            "--template-file",
            template or self.template,
            "--resolve-s3",
            "--capabilities",
            "CAPABILITY_IAM",
            "CAPABILITY_AUTO_EXPAND",
            "--no-confirm-changeset",
            "--no-fail-on-empty-changeset",
            "--parameter-overrides",
            *(f'{name}="{value}"' for name, value in said.items()),
        )
        stack = self.described()
        assert stack["StackStatus"] in ("CREATE_COMPLETE", "UPDATE_COMPLETE"), stack["StackStatus"]
        self.outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
        self.allow_batches()

    def package(self, template):
        """A template whose functions are uploaded: who deploys it more than once need not pack them anew each time."""
        packaged = self.emulator.folder / f"packaged-{uuid.uuid4().hex}.yaml"
        self.run("package", "--template-file", template, "--resolve-s3", "--output-template-file", packaged)
        return packaged

    def as_deployed(self):
        """The template that is deployed now."""
        told = self.emulator.client("cloudformation").get_template(StackName=self.name, TemplateStage="Original")
        body = told["TemplateBody"]
        deployed = self.emulator.folder / f"deployed-{uuid.uuid4().hex}.yaml"
        deployed.write_text(body if isinstance(body, str) else json.dumps(body))
        return deployed

    def described(self):
        return self.emulator.client("cloudformation").describe_stacks(StackName=self.name)["Stacks"][0]

    def allow_batches(self):
        """Who may send may send ten: on AWS sqs:SendMessage is both, the emulator asks for an action AWS has not."""
        iam = self.emulator.client("iam")
        roles = [r["RoleName"] for r in iam.list_roles()["Roles"] if r["RoleName"].startswith(f"{self.name}-")]
        assert roles, "the template's roles"
        for role in roles:
            policy = iam.get_role_policy(RoleName=role, PolicyName="least")["PolicyDocument"]
            for statement in policy["Statement"]:
                if statement["Action"] == "sqs:SendMessage":
                    statement["Action"] = ["sqs:SendMessage", "sqs:SendMessageBatch"]
            iam.put_role_policy(RoleName=role, PolicyName="least", PolicyDocument=json.dumps(policy))

    def delete(self):
        self.run("delete", "--no-prompts", "--region", REGION)

    def run(self, command, *options):
        done = subprocess.run(
            [self.sam, command, *([] if command == "package" else ["--stack-name", self.name]), *options],
            env=self.emulator.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=600,
        )
        assert done.returncode == 0, f"sam {command}: {done.stdout[-4000:]}{done.stderr[-4000:]}"

    def front(self, output):
        """A function's URL as a URL of this machine."""
        return self.front_of(urllib.parse.urlsplit(self.outputs[output]).hostname)

    def front_of(self, host):
        """A name as a URL of this machine: the emulator tells functions and APIs apart by the Host header."""
        port = self.emulator.port

        class Front(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                headers = {n: v for n, v in self.headers.items() if n.lower() not in ("host", "content-length")}
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
                connection.request(self.command, self.path, body, headers | {"Host": host})
                response = connection.getresponse()
                content = response.read()
                self.send_response(response.status)
                for name, value in response.getheaders():
                    if name.lower() not in ("content-length", "transfer-encoding", "connection", "date", "server"):
                        self.send_header(name, value)
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = answer

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Front)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}"


def ask(method, url, body=None, headers=None):
    """Asks over HTTP; an answer is an answer, whatever its status."""
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=60)
    headers = {"content-type": "application/json"} | (headers or {})
    connection.request(method, parts.path or "/", json.dumps(body) if body is not None else None, headers)
    response = connection.getresponse()
    text = response.read().decode()
    try:
        return response.status, json.loads(text)
    except ValueError:
        return response.status, text
