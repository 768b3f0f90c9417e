"""What SAM's transform makes of the template, of what the emulator has nothing for: CodeDeploy, and how versions change over.

The emulator is deployed to with `Gradual=false`; here it is `true`, as whoever says nothing has it.
"""

import logging
import os
import pathlib

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

TEMPLATE = pathlib.Path(__file__).parent.parent.parent / "infra/aws/template.yaml"
REGION = "us-east-1"
# The transform asks for it, and for nothing there.
os.environ.setdefault("AWS_DEFAULT_REGION", REGION)
logging.getLogger("samtranslator").setLevel(logging.ERROR)
OVER_HTTP = ["Console", "Interactions", "Leads"]


def resources_of(**parameters):
    """The resources that CloudFormation is given, where the parameters are said or left to their defaults."""
    template = yaml_parse(TEMPLATE.read_text())
    # As `sam package` leaves it.
    for one in template["Resources"].values():
        if one["Type"] == "AWS::Serverless::Function":
            one["Properties"]["CodeUri"] = "s3://bucket/key"
    defaults = {name: one["Default"] for name, one in template["Parameters"].items() if "Default" in one}

    class NoPolicies:
        """The template names no policy of AWS's: SAM asks for none."""

        @staticmethod
        def load():
            return {}

    return transform(template, {"AWS::Region": REGION} | defaults | parameters, NoPolicies())["Resources"]


def of_type(resources, kind):
    return {name: one for name, one in resources.items() if one["Type"] == kind}


def what_is_over_http_changes_over_gradually():
    resources = resources_of()
    groups = of_type(resources, "AWS::CodeDeploy::DeploymentGroup")
    assert sorted(groups) == [f"{name}DeploymentGroup" for name in OVER_HTTP], sorted(groups)
    aliases = of_type(resources, "AWS::Lambda::Alias")
    assert sorted(aliases) == [f"{name}Aliaslive" for name in OVER_HTTP], sorted(aliases)
    urls = of_type(resources, "AWS::Lambda::Url")
    assert len(urls) == len(OVER_HTTP), sorted(urls)
    applications = of_type(resources, "AWS::CodeDeploy::Application")
    assert len(applications) == 1, sorted(applications)
    for name in OVER_HTTP:
        group = groups[f"{name}DeploymentGroup"]["Properties"]
        slowly = {"Fn::Sub": ["CodeDeployDefault.Lambda${ConfigName}", {"ConfigName": "Canary10Percent5Minutes"}]}
        assert group["DeploymentConfigName"] == slowly, group
        back = group["AutoRollbackConfiguration"]
        assert back["Enabled"] and "DEPLOYMENT_STOP_ON_ALARM" in back["Events"], back
        own, of_the_api = {"Name": {"Ref": f"{name}FailuresAlarm"}}, {"Name": {"Ref": "ApiFailuresAlarm"}}
        condition, with_api, without = group["AlarmConfiguration"]["Fn::If"]
        assert condition == "HasApi", condition
        assert with_api == {"Enabled": True, "Alarms": [own, of_the_api]}, with_api
        assert without == {"Enabled": True, "Alarms": [own]}, without
        for alarm in (own, of_the_api):
            assert resources[alarm["Name"]["Ref"]]["Type"] == "AWS::CloudWatch::Alarm"
        # The alias is what changes over, and only as CodeDeploy says; its URL, and the API, lead to it.
        alias = aliases[f"{name}Aliaslive"]
        assert alias["Properties"]["Name"] == "live", alias
        update = alias["UpdatePolicy"]["CodeDeployLambdaAliasUpdate"]
        assert update["DeploymentGroupName"] == {"Ref": f"{name}DeploymentGroup"}, update
        assert update["ApplicationName"] == {"Ref": next(iter(applications))}, update
        url = urls[f"{name}Url"]["Properties"]["TargetFunctionArn"]
        integration = resources[f"{name}Integration"]["Properties"]["IntegrationUri"]
        assert url == integration == {"Ref": f"{name}Aliaslive"}, (url, integration)
    at_once = resources_of(Gradual="false")
    assert not of_type(at_once, "AWS::CodeDeploy::DeploymentGroup")
    assert sorted(of_type(at_once, "AWS::Lambda::Alias")) == sorted(aliases)


def what_sam_makes_is_what_the_template_says():
    """Properties that a SAM too old for them would drop; and no role but the template's and CodeDeploy's."""
    resources = resources_of()
    functions = of_type(resources, "AWS::Lambda::Function")
    around = {name for name, one in functions.items() if one["Properties"].get("RecursiveLoop") == "Allow"}
    assert around == {"Delivery", "Distribution"}, around
    mappings = of_type(resources, "AWS::Lambda::EventSourceMapping")
    assert len(mappings) == 6, sorted(mappings)
    stream = mappings["ReportingStream"]["Properties"]["EventSourceArn"]
    condition, restored, own = stream["Fn::If"]
    assert (condition, restored) == ("IsRestored", {"Ref": "RestoredStreamArn"}), stream
    assert own == {"Fn::GetAtt": ["Table", "StreamArn"]}, stream
    for name, mapping in mappings.items():
        assert mapping["Properties"]["FunctionResponseTypes"] == ["ReportBatchItemFailures"], name
    roles = set(of_type(resources, "AWS::IAM::Role"))
    assert roles == {f"{name}Role" for name in functions} | {"CodeDeployServiceRole"}, roles


CHECKS = [what_is_over_http_changes_over_gradually, what_sam_makes_is_what_the_template_says]

if __name__ == "__main__":
    for check in CHECKS:
        check()
