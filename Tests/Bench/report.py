"""What is printed."""

import platform
import re
import subprocess
import sys
from pathlib import Path


class Report:
    """A table: what was measured, ours, the yardstick, the ratio, and the goal."""

    def __init__(self):
        self.rows = []

    def add(self, what, ours, yardstick="", ratio=None, goal="", is_reached=None):
        verdict = {None: "", True: "reached", False: "MISSED"}[is_reached]
        self.rows.append((what, ours, yardstick, f"{ratio:.2f}" if ratio is not None else "", goal, verdict))

    def compare(self, what, ours, yardstick, unit, goal=None, beside="nginx"):
        """`ours` against another's, with the largest ratio that is allowed."""
        ratio = ours / yardstick
        self.add(
            what, f"{ours:.1f} {unit}", f"{beside} {yardstick:.1f} {unit}", ratio,
            f"≤ {goal}" if goal else "", ratio <= goal if goal else None)

    def bound(self, what, ours, unit, goal, digits=1):
        self.add(what, f"{ours:.{digits}f} {unit}", goal=f"≤ {goal} {unit}", is_reached=ours <= goal)

    def print(self):
        rows = [("measured", "hivegate", "yardstick", "ratio", "goal", ""), *self.rows]
        widths = [max(len(row[column]) for row in rows) for column in range(6)]
        for number, row in enumerate(rows):
            print("| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |")
            if number == 0:
                print("|" + "|".join("-" * (width + 2) for width in widths) + "|")


def progress(text):
    """For whoever watches."""
    if sys.stderr.isatty():
        print(text, file=sys.stderr, flush=True)


def machine():
    """One line on what it ran on."""
    text = Path("/proc/cpuinfo").read_text()
    model = re.search(r"model name\s*: (.*)", text)
    cores = text.count("\nprocessor") + text.startswith("processor")
    versions = [
        first_match(["nginx", "-v"], r"nginx/[\d.]+"),
        first_match(["wrk", "-v"], r"wrk [\w./-]+"),
        first_match(["swift", "--version"], r"Swift version [\w.]+"),
    ]
    return (
        f"{cores} cores, {model.group(1) if model else 'unknown processor'}, Linux {platform.release()}, "
        + ", ".join(version for version in versions if version)
    )


def first_match(command, pattern):
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except OSError:
        return None
    found = re.search(pattern, done.stdout + done.stderr)
    return found.group(0) if found else None
