"""Starts MiniStack with six things that it lacks. Run by MiniStack's own Python.

- SAM's transform is given the stack's parameters, as on AWS: MiniStack gives it none, and each that the transform asks
  for itself (`Enabled: !Ref Gradual`) would have its default.
- What a role is refused stands in the log: `REFUSED principal action`.
- A batch of a table's stream names its shard, as Lambda does where the mapping has a tumbling window. A table has one
  shard here; who calls a function with a batch of another names it.
- An alarm of several metrics is one of its first: MiniStack has no metric math, and would refuse the whole stack. What
  such an alarm computes is for the linters to see.
- Who sends a mail as the bytes it is must be allowed what AWS asks for: both actions, of the identity and of the
  configuration set. MiniStack asks for `ses:SendEmail` on `*`, which a role that names its identity has not.
- What SES was given to send stands in the log, with the id it got: `SENT {…}`. MiniStack keeps neither the bytes of a
  mail nor its tags.
"""

import email.utils
import json
import sys

from ministack.core import iam_actions
from ministack.core.responses import get_account_id, get_region
from ministack.services import lambda_svc, ses_v2
from ministack.services.cloudformation import changesets, engine, handlers, provisioners
from samtranslator.translator import transform as sam

apply, transform, refuse = engine._apply_transforms, sam.transform, iam_actions.access_denied_response
execute = lambda_svc._execute_function
alarm_of = provisioners._cw_metric_alarm_record
handle_mail = ses_v2.handle_request
SENDS = "/v2/email/outbound-emails"


def apply_with_parameters(template, provided=None, previous=None):
    values = engine._transform_parameters(template, provided, previous)
    sam.transform = lambda template, _, policies: transform(template, values, policies)
    return apply(template, provided, previous)


def refuse_and_say_so(service, action, principal, *more, **others):
    print(f"REFUSED {principal} {action}", flush=True)
    return refuse(service, action, principal, *more, **others)


def execute_naming_the_shard(function, event, *more, **others):
    records = event.get("Records") if isinstance(event, dict) else None
    if records and records[0].get("eventSource") == "aws:dynamodb":
        event = {"shardId": "shardId-00000000000000000000-00000001"} | event
    return execute(function, event, *more, **others)


def alarm_of_the_first(name, properties):
    if metrics := properties.get("Metrics"):
        first = next(metric["MetricStat"] for metric in metrics if "MetricStat" in metric)
        properties = {key: value for key, value in properties.items() if key != "Metrics"}
        properties |= first["Metric"] | {"Period": first["Period"], "Statistic": first["Stat"]}
    return alarm_of(name, properties)


async def handle_mail_and_say_so(method, path, headers, body, query):
    status, answered, answer = await handle_mail(method, path, headers, body, query)
    if path == SENDS and status == 200:
        print(f"SENT {json.dumps(json.loads(body) | json.loads(answer))}", flush=True)
    return status, answered, answer


def sends_by(mail):
    """The identity and the configuration set of a mail."""
    sender = email.utils.parseaddr(mail["FromEmailAddress"])[1]
    identity = sender if sender in ses_v2._identities else sender.rpartition("@")[2]
    names = [f"identity/{identity}"]
    if by := mail.get("ConfigurationSetName"):
        names.append(f"configuration-set/{by}")
    return [f"arn:aws:ses:{get_region()}:{get_account_id()}:{name}" for name in names]


def refused_to_send(method, path, headers, body, query, request):
    if path != SENDS:
        return refused_of_mail(method, path, headers, body, query, request)
    mail = json.loads(body)
    actions = ["ses:SendEmail"] + ["ses:SendRawEmail"] * ("Raw" in mail["Content"])
    for arn in sends_by(mail):
        for action in actions:
            more = {"resource_arn": arn, "named_resource": arn}
            if refused := app._enforce_data_plane("sesv2", action, headers, query, request, **more):
                return refused
    return None


for module in (changesets, engine, handlers):
    module._apply_transforms = apply_with_parameters
iam_actions.access_denied_response = refuse_and_say_so
lambda_svc._execute_function = execute_naming_the_shard
provisioners._cw_metric_alarm_record = alarm_of_the_first
ses_v2.handle_request = handle_mail_and_say_so

# After the patches, so that the program uses them.
from ministack import app  # noqa: E402

refused_of_mail, app._enforce_ses_v2 = app._enforce_ses_v2, refused_to_send

sys.exit(app.main())
