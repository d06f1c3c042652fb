"""CloudFront before the API, with a limit for each address. In us-east-1, as CloudFront's firewall must be."""

from aws_cdk import CfnOutput, Environment, Stack
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudfront_origins as origins
from aws_cdk import aws_wafv2 as wafv2
from constructs import Construct

from battlescope_cdk.findings import explain
from battlescope_cdk.options import Options

REGION = "us-east-1"


class EdgeStack(Stack):
    """A distribution that keeps what the API's Cache-Control lets it keep.

    It is told the API's host by name: a reference between regions would need functions of its own to carry it.
    """

    def __init__(self, scope: Construct, id_: str, options: Options, api_host: str) -> None:
        super().__init__(
            scope, id_, description="BattleScope: CloudFront and WAF", env=Environment(region=REGION)
        )
        visible = wafv2.CfnWebACL.VisibilityConfigProperty(
            cloud_watch_metrics_enabled=True, metric_name="AddressLimit", sampled_requests_enabled=True
        )
        firewall = wafv2.CfnWebACL(
            self,
            "Firewall",
            scope="CLOUDFRONT",
            default_action=wafv2.CfnWebACL.DefaultActionProperty(allow={}),
            visibility_config=visible,
            rules=[
                wafv2.CfnWebACL.RuleProperty(
                    name="AddressLimit",
                    priority=0,
                    action=wafv2.CfnWebACL.RuleActionProperty(block={}),
                    statement=wafv2.CfnWebACL.StatementProperty(
                        rate_based_statement=wafv2.CfnWebACL.RateBasedStatementProperty(
                            aggregate_key_type="IP",
                            limit=options.cdn_requests_per_5_minutes,
                            evaluation_window_sec=300,
                        )
                    ),
                    visibility_config=visible,
                )
            ],
        )
        distribution = cloudfront.Distribution(
            self,
            "Distribution",
            comment=options.name,
            default_behavior=cloudfront.BehaviorOptions(
                origin=origins.HttpOrigin(api_host),
                allowed_methods=cloudfront.AllowedMethods.ALLOW_GET_HEAD_OPTIONS,
                viewer_protocol_policy=cloudfront.ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
                cache_policy=cloudfront.CachePolicy.USE_ORIGIN_CACHE_CONTROL_HEADERS_QUERY_STRINGS,
                origin_request_policy=cloudfront.OriginRequestPolicy.ALL_VIEWER_EXCEPT_HOST_HEADER,
            ),
            price_class=cloudfront.PriceClass.PRICE_CLASS_100,
            web_acl_id=firewall.attr_arn,
        )
        explain(
            self,
            {
                "AwsSolutions-CFR1": "Killmails are public everywhere.",
                "AwsSolutions-CFR3": "The API's own access log tells of every request that reaches it.",
                "AwsSolutions-CFR4": "Without a domain of its own a distribution has CloudFront's certificate and its TLS.",
            },
        )
        CfnOutput(self, "CdnUrl", value=f"https://{distribution.distribution_domain_name}")
