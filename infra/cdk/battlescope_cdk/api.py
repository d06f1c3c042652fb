"""Database to readers: an HTTP API at a public address, throttled and logged."""

import json

from aws_cdk import CfnOutput, Duration, RemovalPolicy, Stack
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_logs as logs
from aws_cdk import aws_route53 as route53
from aws_cdk import aws_route53_targets as targets
from aws_cdk.aws_apigatewayv2_integrations import HttpLambdaIntegration
from constructs import Construct

from battlescope_cdk.catalogue import API
from battlescope_cdk.findings import explain
from battlescope_cdk.function import BattleScopeFunction, Reach, common_layer
from battlescope_cdk.options import Options

ACCESS_LOG = {
    "request_id": "$context.requestId",
    "time": "$context.requestTime",
    "ip": "$context.identity.sourceIp",
    "method": "$context.httpMethod",
    "path": "$context.path",
    "status": "$context.status",
    "latency_ms": "$context.responseLatency",
    "bytes": "$context.responseLength",
    "agent": "$context.identity.userAgent",
    "error": "$context.error.message",
}


class ApiStack(Stack):
    """What serves battles."""

    def __init__(self, scope: Construct, id_: str, options: Options, reach: Reach) -> None:
        super().__init__(scope, id_, description="BattleScope: API")
        self.function = BattleScopeFunction(
            self, API, options, layer=common_layer(self, options), reach=reach
        )
        self.http_api = apigateway.HttpApi(
            self,
            "HttpApi",
            api_name=options.name,
            default_integration=HttpLambdaIntegration(
                "Everything", self.function.function, timeout=Duration.seconds(API.timeout_s + 1)
            ),
            create_default_stage=False,
        )
        access_log = logs.LogGroup(
            self, "AccessLog", retention=logs.RetentionDays.ONE_MONTH, removal_policy=RemovalPolicy.DESTROY
        )
        domain = self._domain(options, options.domain_name) if options.domain_name else None
        stage = apigateway.HttpStage(
            self,
            "Stage",
            http_api=self.http_api,
            stage_name="$default",
            auto_deploy=True,
            throttle=apigateway.ThrottleSettings(
                rate_limit=options.throttle_rate, burst_limit=options.throttle_burst
            ),
            domain_mapping=apigateway.DomainMappingOptions(domain_name=domain) if domain else None,
        )
        plain = stage.node.default_child
        if not isinstance(plain, apigateway.CfnStage):
            raise TypeError("a stage is made of a CfnStage")
        plain.access_log_settings = apigateway.CfnStage.AccessLogSettingsProperty(
            destination_arn=access_log.log_group_arn, format=json.dumps(ACCESS_LOG)
        )
        explain(self, {"AwsSolutions-APIG4": "The API only reads, and what it reads is public."})
        url = f"https://{options.domain_name}" if domain else self.http_api.api_endpoint
        CfnOutput(self, "ApiUrl", value=url)

    def _domain(self, options: Options, name: str) -> apigateway.DomainName:
        zone = route53.HostedZone.from_hosted_zone_attributes(
            self, "Zone", hosted_zone_id=str(options.hosted_zone_id), zone_name=str(options.hosted_zone_name)
        )
        domain = apigateway.DomainName(
            self,
            "Domain",
            domain_name=name,
            certificate=acm.Certificate(
                self, "Certificate", domain_name=name, validation=acm.CertificateValidation.from_dns(zone)
            ),
        )
        route53.ARecord(
            self,
            "Address",
            zone=zone,
            record_name=name,
            target=route53.RecordTarget.from_alias(
                targets.ApiGatewayv2DomainProperties(
                    domain.regional_domain_name, domain.regional_hosted_zone_id
                )
            ),
        )
        return domain
