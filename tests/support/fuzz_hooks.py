"""What a schema cannot say, for schemathesis: which requests that fulfil the schema are wrong nevertheless."""

from typing import Any

from schemathesis import Case, HookContext, Response, hook
from schemathesis.core.failures import Failure

REASONS = {
    "cursor": "is not one that this API gave out",
    "after": "is not one that this API gave out",
    "until": "must be later than `since`",
    "against": "`alliance`",
}
"""By parameter: what is wrong with it in the light of others, or of what was answered before."""


@hook
def filter_failure(_context: HookContext, failure: Failure, _case: Case[Any], response: Response) -> bool:
    """Whether this is a failure: not where a request was refused for nothing but one of REASONS."""
    if failure.title != "Schema-valid request rejected" or response.status_code != 422:
        return True
    return not all(
        REASONS.get(error["parameter"], "\n") in error["detail"] for error in response.json()["errors"]
    )
