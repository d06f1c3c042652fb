"""What a cold start pays for imports, beside the packages that no handler can do without."""

import argparse
import subprocess
import sys
from collections.abc import Sequence
from statistics import median

from bench.support import machine

BASELINES = {
    "psycopg, pydantic, Logger and Metrics": "import psycopg, pydantic; from pydantic import BaseModel; from aws_lambda_powertools import Logger, Metrics",
    "FastAPI and Mangum": "import fastapi, mangum",
}
HANDLERS = (("cluster.handler", 0), ("ingest.handler", 0), ("api.handler", 1))


def main(argv: Sequence[str]) -> None:
    """Print the median CPU seconds of each import and its ratio to its baseline, run in turns."""
    parser = argparse.ArgumentParser(prog="bench imports", description=__doc__)
    parser.add_argument("--runs", type=int, default=15)
    options = parser.parse_args(argv)
    print(machine())
    for name, which in HANDLERS:
        title, baseline = list(BASELINES.items())[which]
        pairs = [(_import_s(f"import {name}"), _import_s(baseline)) for _ in range(options.runs)]
        ours, theirs = median(pair[0] for pair in pairs), median(pair[1] for pair in pairs)
        ratio = median(one / other for one, other in pairs)
        print(f"{name:16} {ours:.3f} s   {title}: {theirs:.3f} s   ratio {ratio:.2f}")


def _import_s(statement: str) -> float:
    """CPU seconds of an import in a new interpreter."""
    program = f"import time; t = time.process_time(); {statement}; print(time.process_time() - t)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return float(done.stdout)
