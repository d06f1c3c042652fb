"""All stacks of one deployment, in the order in which they must come."""

from aws_cdk import App, Tags, Validations
from cdk_nag import AwsSolutionsChecks

from battlescope_cdk.api import ApiStack
from battlescope_cdk.data import DataStack
from battlescope_cdk.edge import EdgeStack
from battlescope_cdk.network import NetworkStack
from battlescope_cdk.observability import ObservabilityStack
from battlescope_cdk.options import Options
from battlescope_cdk.pipeline import PipelineStack


class Deployment:
    """Network, database with its schema, pipeline, API, and what watches them."""

    def __init__(self, app: App, options: Options) -> None:
        name = options.name
        self.network = NetworkStack(app, f"{name}Network", options) if options.has_network else None
        self.data = DataStack(app, f"{name}Data", options, self.network.place if self.network else None)
        self.pipeline = PipelineStack(app, f"{name}Pipeline", options, self.data.reach)
        self.api = ApiStack(app, f"{name}Api", options, self.data.reader)
        for serving in (self.pipeline, self.api):
            serving.add_stack_dependency(self.data)  # the schema first
        self.observability = ObservabilityStack(
            app, f"{name}Observability", options, self.data, self.pipeline, self.api
        )
        self.edge = EdgeStack(app, f"{name}Edge", options, options.cdn_origin) if options.cdn_origin else None
        Tags.of(app).add(
            "application",
            name,
            exclude_resource_types=["AWS::RDS::DBProxyTargetGroup"],  # takes none
        )
        Validations.of(app).add_plugins(AwsSolutionsChecks(app))
