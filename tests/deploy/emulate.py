"""Starts MiniStack with four things that it lacks. Run by MiniStack's own Python.

- SAM's transform is given the stack's parameters, as on AWS: MiniStack gives it none, and each that the transform asks
  for itself (`Enabled: !Ref Gradual`) would have its default.
- What a role is refused stands in the log: `REFUSED principal action`.
- A batch of a table's stream names its shard, as Lambda does where the mapping has a tumbling window. A table has one
  shard here; who calls a function with a batch of another names it.
- An alarm of several metrics is one of its first: MiniStack has no metric math, and would refuse the whole stack. What
  such an alarm computes is for the linters to see.
"""

import sys

from ministack.core import iam_actions
from ministack.services import lambda_svc
from ministack.services.cloudformation import changesets, engine, handlers, provisioners
from samtranslator.translator import transform as sam

apply, transform, refuse = engine._apply_transforms, sam.transform, iam_actions.access_denied_response
execute = lambda_svc._execute_function
alarm_of = provisioners._cw_metric_alarm_record


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


for module in (changesets, engine, handlers):
    module._apply_transforms = apply_with_parameters
iam_actions.access_denied_response = refuse_and_say_so
lambda_svc._execute_function = execute_naming_the_shard
provisioners._cw_metric_alarm_record = alarm_of_the_first

# After the patches, so that the program uses them.
from ministack.app import main  # noqa: E402

sys.exit(main())
