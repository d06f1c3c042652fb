"""`cdk synth` and `cdk deploy` start here."""

import aws_cdk as cdk

from battlescope_cdk.deployment import Deployment
from battlescope_cdk.options import read_options

app = cdk.App()
Deployment(app, read_options(app.node))
app.synth()
