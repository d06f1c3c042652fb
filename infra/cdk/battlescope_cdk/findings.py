"""What cdk-nag finds and we leave as it is, each with its reason."""

from collections.abc import Mapping

from aws_cdk import Acknowledgment, Validations
from constructs import IConstruct


def explain(construct: IConstruct, reasons: Mapping[str, str]) -> None:
    """Why these rules do not apply to the construct, and what is in it."""
    Validations.of(construct).acknowledge(
        *(Acknowledgment(id=rule, reason=reason) for rule, reason in reasons.items())
    )
