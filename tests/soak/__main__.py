"""`make soak`: a day of feed in some minutes, fifty kills, five restarts, a full disk."""

import argparse
import tempfile
from pathlib import Path

from tests.soak.disk import can_mount
from tests.soak.plan import Plan
from tests.soak.run import soak


def main() -> int:
    """Run, print, say by the exit code whether anything broke."""
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("--hours", type=float, default=24)
    parser.add_argument("--seconds", type=float, default=420)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--restarts", type=int, default=5)
    parser.add_argument("--poison", type=int, default=7)
    parser.add_argument("--seed", type=int, default=24)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        disk = can_mount(Path(directory))
        if not disk:
            print("no small file system can be mounted here (that needs root): the disk stays empty")
        report = soak(Plan(**vars(options), small_disk=disk), Path(directory))
    print(f"{report.killmails:,} killmails in {report.seconds:.0f} s")
    for fault, times in sorted(report.faults.items()):
        print(f"  {times:>3} times {fault}")
    print(f"answers of the API by status: {dict(sorted(report.answers.items()))}")
    for name, most in report.resident_mb.items():
        print(f"{name}: at most {most:.1f} MiB; the last quarter to the second: {report.growth[name]:.2f}")
    for complaint in report.complaints:
        print(f"BROKEN: {complaint}")
    print("the database equals that of a quiet run" if not report.complaints else "something broke")
    return 1 if report.complaints else 0


if __name__ == "__main__":
    raise SystemExit(main())
