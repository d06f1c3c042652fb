"""`python -m bench [NAME [ARGUMENT...]]`: run one benchmark, or list them."""

import importlib
import pkgutil
import sys

import bench


def main() -> int:
    """Run the benchmark that the command line names."""
    names = sorted(
        module.name
        for module in pkgutil.iter_modules(bench.__path__)
        if module.name
        not in {"__main__", "asking", "building", "copying", "minimal", "processors", "serving", "support"}
    )
    if len(sys.argv) < 2 or sys.argv[1] not in names:
        print("benchmarks: " + ", ".join(names))
        return int(len(sys.argv) > 1)
    importlib.import_module(f"bench.{sys.argv[1]}").main(sys.argv[2:])
    return 0


raise SystemExit(main())
