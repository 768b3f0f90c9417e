"""Starts MiniStack with three things that it lacks. Run by MiniStack's own Python.

- SAM's transform is given the stack's parameters, as on AWS: MiniStack gives it none, and each that the transform asks
  for itself (`Enabled: !Ref Gradual`) would have its default.
- What a role is refused stands in the log: `REFUSED principal action`.
- A batch of a table's stream names its shard, as Lambda does where the mapping has a tumbling window. A table has one
  shard here.
"""

import sys

from ministack.core import iam_actions
from ministack.services import lambda_svc
from ministack.services.cloudformation import changesets, engine, handlers
from samtranslator.translator import transform as sam

apply, transform, refuse = engine._apply_transforms, sam.transform, iam_actions.access_denied_response
execute = lambda_svc._execute_function


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
        event = event | {"shardId": "shardId-00000000000000000000-00000001"}
    return execute(function, event, *more, **others)


for module in (changesets, engine, handlers):
    module._apply_transforms = apply_with_parameters
iam_actions.access_denied_response = refuse_and_say_so
lambda_svc._execute_function = execute_naming_the_shard

# After the patches, so that the program uses them.
from ministack.app import main  # noqa: E402

sys.exit(main())
