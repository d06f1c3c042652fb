"""Pods as processes of this machine: commands, environment, probes and ends are the manifests'.

What has to differ on one machine, and only that: addresses of services, and ports, of which each pod has its own here.
"""

import re
import shlex
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread

import httpx

from battlescope_local.ports import free_port
from tests.infra.kubernetes.image import Image
from tests.infra.kubernetes.manifests import Manifest, System, Workload

_VARIABLE = re.compile(r"\$\((\w+)\)")


@dataclass(frozen=True)
class Node:
    """Where pods run.

    Attributes:
        addresses: of services, by what the manifests call them.
        variables: in the place of the manifests' (the far side of the internet).
    """

    system: System
    image: Image
    addresses: Mapping[str, str]
    variables: Mapping[str, str]
    logs: Path

    def environment(self, container: Manifest) -> dict[str, str]:
        """What a container's process is given here."""
        environment = self.system.environment(container) | dict(self.variables)
        for name, value in environment.items():
            for service, address in self.addresses.items():
                value = value.replace(service, address)  # noqa: PLW2901 - one after the other
            environment[name] = value
        return environment


class Pod:
    """A pod of a workload: what runs first, then its container."""

    def __init__(self, node: Node, workload: str, name: str) -> None:
        self.name = name
        self._node = node
        self._spec = Workload(node.system.one(*workload.split("/"))).pod
        (self._container,) = self._spec["containers"]
        self._ports = {
            port["name"]: (port["containerPort"], free_port()) for port in self._container.get("ports", [])
        }
        self._stopping = Event()
        self._process: subprocess.Popen[bytes] | None = None
        self.is_initialised = False

    @property
    def url(self) -> str:
        """Where it serves HTTP."""
        return f"http://127.0.0.1:{self._ports['http'][1]}"

    @property
    def metrics_url(self) -> str:
        """Where Prometheus would find it."""
        return f"http://127.0.0.1:{self._ports['metrics'][1]}"

    @property
    def is_running(self) -> bool:
        """Whether a process of it lives."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Begin: what runs first is waited for, and started again where it fails."""
        Thread(target=self._start, name=self.name, daemon=True).start()

    def run(self, timeout_s: float = 120) -> int:
        """To the end of its container; the exit code."""
        self._start()
        assert self._process is not None
        return self._process.wait(timeout_s)

    def passes(self, probe: str) -> bool:
        """Whether a probe would be content."""
        if not self.is_initialised or not self.is_running:
            return False
        asked = self._container[probe]
        port = self._ports[asked["httpGet"]["port"]][1]
        try:
            answer = httpx.get(
                f"http://127.0.0.1:{port}{asked['httpGet']['path']}", timeout=asked.get("timeoutSeconds", 1)
            )
        except httpx.TransportError:
            return False
        return 200 <= answer.status_code < 400

    @property
    def is_ready(self) -> bool:
        """Whether a service would send it requests."""
        return self.passes("startupProbe") and self.passes("readinessProbe")

    def ask_to_stop(self) -> None:
        """What comes before the signal, then the signal."""
        self._stopping.set()
        before = self._container.get("lifecycle", {}).get("preStop", {}).get("exec", {}).get("command")
        if before:
            subprocess.run(before, check=True)
        if self.is_running:
            assert self._process is not None
            self._process.send_signal(signal.SIGTERM)

    def wait(self) -> int:
        """Wait as long as Kubernetes would before it kills; the exit code.

        Raises:
            subprocess.TimeoutExpired: it would have been killed.
        """
        assert self._process is not None
        return self._process.wait(self._spec["terminationGracePeriodSeconds"])

    def kill(self) -> None:
        """End it, whatever it does."""
        self._stopping.set()
        if self.is_running:
            assert self._process is not None
            self._process.kill()
            self._process.wait()

    @property
    def log(self) -> str:
        """What it printed."""
        return (self._node.logs / f"{self.name}.log").read_text()

    def _start(self) -> None:
        for container in self._spec.get("initContainers", []):
            while self._launch(container).wait() != 0:
                if self._stopping.wait(1):
                    return
        if not self._stopping.is_set():
            self._launch(self._container)
            self.is_initialised = True

    def _launch(self, container: Manifest) -> subprocess.Popen[bytes]:
        node = self._node
        environment = node.image.environment | node.environment(container)
        arguments = [*container.get("args", node.image.command)]
        for name, (said, here) in self._ports.items():
            arguments = [str(here) if argument == str(said) else argument for argument in arguments]
            if name == "metrics":
                assert environment["METRICS_PORT"] == str(said)
                environment["METRICS_PORT"] = str(here)
        arguments = [_VARIABLE.sub(lambda found: environment[found[1]], argument) for argument in arguments]
        command = shlex.join(container.get("command", node.image.entrypoint) + arguments)
        with (node.logs / f"{self.name}.log").open("ab") as log:
            self._process = subprocess.Popen(
                ["/bin/sh", "-c", f"exec {command}"],  # finds the command on the image's PATH
                env=environment,
                cwd=node.logs,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        return self._process


def stop_all(pods: list[Pod]) -> None:
    """Leave no process behind."""
    for pod in pods:
        pod.kill()


class Service:
    """Sends requests to pods that are ready, as a Service does, without end; and counts what goes wrong."""

    def __init__(self, path: str, pods: list[Pod]) -> None:
        self.pods = pods
        self.answered = 0
        self.failures: list[str] = []
        self._path = path
        self._stop = Event()
        self._thread = Thread(target=self._ask, daemon=True)

    def __enter__(self) -> "Service":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _ask(self) -> None:
        while not self._stop.is_set():
            for pod in list(self.pods):
                try:
                    status = httpx.get(f"{pod.url}{self._path}", timeout=10).status_code
                except httpx.TransportError as error:
                    self.failures.append(f"{pod.name}: {error!r}")
                else:
                    self.answered += 1
                    if status != 200:
                        self.failures.append(f"{pod.name}: {status}")
            time.sleep(0.02)
