"""The document of the API, read as programs read it.

    openapi.py PATH/TO/leadyard

Runs the program, and validates what it serves as `/openapi.json` by the validator of the OpenAPI tools: the document
itself, its examples by its schemas, and answers of the running system.
"""

import json
import urllib.request

import jsonschema
import openapi_spec_validator
import webhooks

BODIES = 20


def get(ready, path, token=None):
    headers = {"accept": "application/json"} | ({"authorization": f"Bearer {token}"} if token else {})
    request = urllib.request.Request(ready["url"].rstrip("/") + path, headers=headers)
    with urllib.request.urlopen(request, timeout=webhooks.WAIT_S) as answer:
        assert answer.headers["content-type"] == "application/json", answer.headers["content-type"]
        return json.load(answer)


def holds(document, schema, value):
    """The value, by a schema of the document, which stands beside its components."""
    resolvable = {"components": document["components"], "allOf": [schema]}
    jsonschema.Draft202012Validator(resolvable, format_checker=jsonschema.FormatChecker()).validate(value)


def check(ready):
    document = get(ready, "/openapi.json")
    openapi_spec_validator.validate(document)

    examples = 0
    for operations in document["paths"].values():
        for operation in operations.values():
            for held in operation.get("requestBody", {}).get("content", {}).values():
                if "example" in held:
                    holds(document, held["schema"], held["example"])
                    examples += 1
    assert examples > BODIES, examples

    source, desk = ready["sources"][0], ready["desk_token"]
    person = {"name": "Ada Hill", "email": "ada@mail.example", "zip": "33101"}
    lead = webhooks.post(ready, f"/v1/leads/{source['key']}", source["secret"], person)["lead"]
    for path, of, token in [
        (f"/v1/leads/{lead}", "/v1/leads/{key_or_lead}", desk),
        (f"/v1/leads/{source['key']}/instructions", "/v1/leads/{key}/instructions", None),
        ("/v1/rulebook?files", "/v1/rulebook", desk),
        ("/v1/reports/sources", "/v1/reports/{name}", desk),
        ("/v1/waiting", "/v1/waiting", desk),
    ]:
        answer = document["paths"][of]["get"]["responses"]["200"]["content"]["application/json"]
        holds(document, answer["schema"], get(ready, path, token))


if __name__ == "__main__":
    webhooks.main(webhooks.rulebook, check)
    print("openapi-spec-validator (Python) reads the document, and answers are as it says")
