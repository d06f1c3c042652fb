"""Where the database is, from a secret: for AWS, where no password stands in a function's environment.

`DB_URL` may be the ARN of a secret in Secrets Manager. What it holds is a connection string, or JSON as RDS and its
rotation write it (`username`, `password`, `host`, `port`, `dbname`). A query on the ARN overrules parts of either:
`arn:...:secret:name?host=the-proxy's`.

boto3 takes a third of a second to import, so it is imported when a secret is read.
"""

import json
from typing import Annotated, cast
from urllib.parse import parse_qsl, quote, urlencode

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from battlescope.errors import DatabaseError

_read: dict[str, str] = {}
"""Connection strings by the reference they were read for."""


class _Credentials(BaseModel):
    """What RDS writes into its secrets, and rotation renews."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    username: str
    password: str
    host: str
    port: Annotated[int, Field(gt=0, lt=65536)] = 5432
    dbname: str

    def url(self) -> str:
        """RDS takes no connection without TLS."""
        login = f"{quote(self.username, safe='')}:{quote(self.password, safe='')}"
        return f"postgresql://{login}@{self.host}:{self.port}/{quote(self.dbname, safe='')}?sslmode=require"


def resolve(reference: str, *, anew: bool = False) -> str:
    """The connection string that a secret holds; read once, and `anew` after a rotation.

    Raises:
        DatabaseError: the secret cannot be read, or holds something else.
    """
    if anew or reference not in _read:
        arn, _, query = reference.partition("?")
        _read[reference] = _overruled(_parse(arn, _fetch(arn)), query)
    return _read[reference]


def _fetch(arn: str) -> str:
    import boto3  # noqa: PLC0415
    from botocore.config import Config  # noqa: PLC0415
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    config = Config(connect_timeout=5, read_timeout=5, retries={"mode": "standard", "max_attempts": 3})
    try:
        client = boto3.client("secretsmanager", region_name=arn.split(":")[3], config=config)
        return cast("str", client.get_secret_value(SecretId=arn)["SecretString"])
    except (BotoCoreError, ClientError, KeyError) as error:
        raise DatabaseError(f"the secret {arn} that DB_URL names cannot be read: {error}") from error


def _parse(arn: str, text: str) -> str:
    text = text.strip()  # what is typed ends a line
    if text.startswith(("postgresql://", "postgres://")):
        return text
    try:
        return _Credentials.model_validate(json.loads(text)).url()
    except (ValidationError, ValueError) as error:
        # pydantic's message would tell the values.
        fields = (
            ", ".join(str(one["loc"][0]) for one in error.errors() if one["loc"])
            if isinstance(error, ValidationError)
            else "no JSON"
        )
        raise DatabaseError(
            f"the secret {arn} that DB_URL names must hold a postgresql:// URL, or JSON with username, password, "
            f"host, port and dbname; wrong or missing: {fields}"
        ) from None


def _overruled(url: str, query: str) -> str:
    """Libpq lets a URL's query overrule its other parts, and the last of a name wins."""
    if not query:
        return url
    return f"{url}{'&' if '?' in url else '?'}{urlencode(parse_qsl(query))}"
