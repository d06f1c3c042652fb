"""AWS on loopback (ministack), and the CDK's command line pointed at it."""

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import boto3

from battlescope_local.ports import free_port
from tests.support.lambda_runtime import ROOT

ACCOUNT, REGION = "000000000000", "us-east-1"
START_TIMEOUT_S = 60.0
CDK = ROOT / ".tools/cdk/node_modules/.bin/cdk"


class Emulator:
    """A ministack process with everything it emulates; functions run on this Python."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._port = free_port()
        self._clients: dict[str, Any] = {}

    def __enter__(self) -> Self:
        self._log = (self._directory / "ministack.log").open("wb")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "ministack.app"],
            env={
                **os.environ,
                "GATEWAY_PORT": str(self._port),
                "BIND_HOST": "127.0.0.1",
                "MINISTACK_REGION": REGION,
                "PYTHONWARNINGS": "ignore",
            },
            cwd=self._directory,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
        )
        deadline = time.monotonic() + START_TIMEOUT_S
        while True:
            try:
                self.client("sts").get_caller_identity()
            except Exception:
                if time.monotonic() > deadline or self._process.poll() is not None:
                    self.__exit__(None, None, None)
                    raise
                time.sleep(0.2)
            else:
                return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for client in self._clients.values():
            client.close()
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()

    @property
    def url(self) -> str:
        """Where all services answer."""
        return f"http://127.0.0.1:{self._port}"

    def client(self, service: str) -> Any:
        """The client of one service; closed with the emulator."""
        if service not in self._clients:
            client: Any = boto3.client  # its types know services by their literal names
            self._clients[service] = client(
                service,
                endpoint_url=self.url,
                region_name=REGION,
                aws_access_key_id="test",
                aws_secret_access_key="test",  # noqa: S106 - the emulator's
            )
        return self._clients[service]

    def environment(self) -> dict[str, str]:
        """What points AWS' tools at the emulator."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ENDPOINT_URL_S3": self.url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "CDK_DEFAULT_ACCOUNT": ACCOUNT,
            "CDK_DISABLE_CLI_TELEMETRY": "true",
            "CI": "true",
        }

    def cdk(self, *arguments: str, context: Mapping[str, str]) -> None:
        """Run the CDK's command line against the emulator, from the app's folder."""
        given = [part for name, value in context.items() for part in ("-c", f"{name}={value}")]
        done = subprocess.run(
            [str(CDK), *arguments, "--output", str(self._directory / "cdk.out"), *given],
            cwd=ROOT / "infra/cdk",
            env={
                **os.environ,
                "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
                **self.environment(),
            },
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]

    def outputs(self, stack: str) -> dict[str, str]:
        """A stack's outputs."""
        (found,) = self.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
        return {one["OutputKey"]: one["OutputValue"] for one in found.get("Outputs", [])}

    def resources(self, stack: str, type_: str) -> dict[str, str]:
        """Physical ids of a stack's resources of one type, by logical id."""
        listed = self.client("cloudformation").describe_stack_resources(StackName=stack)["StackResources"]
        return {
            one["LogicalResourceId"]: one["PhysicalResourceId"]
            for one in listed
            if one["ResourceType"] == type_
        }

    def address(self, api_url: str) -> str:
        """Where a deployed HTTP API answers: the emulator keeps a path for each API's host."""
        api_id = str(urlsplit(api_url).hostname).partition(".")[0]
        return f"{self.url}/_aws/execute-api/{api_id}/$default"

    def get(self, api_url: str, path: str) -> tuple[int, Any]:
        """What a deployed HTTP API answers."""
        try:
            with urllib.request.urlopen(f"{self.address(api_url)}{path}", timeout=30) as answer:  # noqa: S310 - on loopback
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode(errors="replace")
