"""Where database and functions are: a VPC with a way out, and none in."""

from aws_cdk import Stack
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from battlescope_cdk.findings import explain
from battlescope_cdk.function import Place
from battlescope_cdk.options import Options

NAT_INSTANCE = "t4g.nano"


class NetworkStack(Stack):
    """Two zones, since RDS asks for two; one NAT, since a feed can wait for an hour of repair."""

    def __init__(self, scope: Construct, id_: str, options: Options) -> None:
        super().__init__(scope, id_, description="BattleScope: network")
        nat_instance = options.nat == "instance"
        provider = (
            ec2.NatProvider.instance_v2(
                instance_type=ec2.InstanceType(NAT_INSTANCE),
                default_allowed_traffic=ec2.NatTrafficDirection.OUTBOUND_ONLY,
                associate_public_ip_address=True,  # its subnet gives none by itself
            )
            if nat_instance
            else ec2.NatProvider.gateway()
        )
        vpc = ec2.Vpc(
            self,
            "Vpc",
            max_azs=2,
            nat_gateways=1,
            nat_gateway_provider=provider,
            restrict_default_security_group=False,
            subnet_configuration=[
                ec2.SubnetConfiguration(
                    name="public",
                    subnet_type=ec2.SubnetType.PUBLIC,
                    cidr_mask=28,
                    map_public_ip_on_launch=False,
                ),
                ec2.SubnetConfiguration(
                    name="functions", subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS, cidr_mask=24
                ),
                ec2.SubnetConfiguration(
                    name="database", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED, cidr_mask=28
                ),
            ],
            gateway_endpoints={  # free, and keeps CloudFormation's answers off the NAT
                "S3": ec2.GatewayVpcEndpointOptions(service=ec2.GatewayVpcEndpointAwsService.S3)
            },
        )
        functions = ec2.SecurityGroup(self, "Functions", vpc=vpc, description="BattleScope functions")
        if isinstance(provider, ec2.NatInstanceProviderV2):
            provider.security_group.add_ingress_rule(
                functions, ec2.Port.all_traffic(), "BattleScope functions on their way out"
            )
            self._explain_nat_instance()
        explain(
            vpc,
            {
                "AwsSolutions-VPC7": "Flow logs would cost more than the network they watch; nothing in it can be reached from outside."
            },
        )
        self.place = Place(vpc, functions)

    def _explain_nat_instance(self) -> None:
        explain(
            self,
            {
                "AwsSolutions-EC26": "The NAT instance stores nothing.",
                "AwsSolutions-EC28": "CloudWatch's basic metrics tell whether it forwards; the feed's lag alarms when not.",
                "AwsSolutions-EC29": "It holds nothing to lose: a replacement is as good.",
            },
        )
