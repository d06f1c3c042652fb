"""The context that Lambda hands to a handler."""

import time
import uuid
from threading import Event

MEMORY_MB = 512


class Context:
    """A handler's context: what Lambda promises of it, for an invocation of `timeout_s` seconds.

    Once `stop` is set no time remains, so a handler that watches its time ends in good order.
    """

    def __init__(self, function_name: str, timeout_s: float, stop: Event) -> None:
        self.function_name = function_name
        self.function_version = "$LATEST"
        self.invoked_function_arn = f"arn:aws:lambda:local:000000000000:function:{function_name}"
        self.memory_limit_in_mb = MEMORY_MB
        self.aws_request_id = str(uuid.uuid4())
        self.log_group_name = f"/aws/lambda/{function_name}"
        self.log_stream_name = "local"
        self._deadline = time.monotonic() + timeout_s
        self._stop = stop

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the invocation would be cut off; 0 once a stop was asked for."""
        if self._stop.is_set():
            return 0
        return max(0, round((self._deadline - time.monotonic()) * 1000))
