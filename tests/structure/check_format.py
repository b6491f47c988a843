"""Every C++ file is as clang-format 14 with the repository's .clang-format leaves it.

    check_format.py ROOT

Exit status 77 (skipped) where there is no clang-format 14: other versions format differently.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import tree

SKIPPED = 77


def clang_format_14():
    for name in ("clang-format-14", "clang-format"):
        program = shutil.which(name)
        if program:
            version = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
            if re.search(r"version 14\.", version):
                return program
    return None


def check(root, program):
    paths = [str(path) for path in tree.sources(root, *tree.MODULES, "tests")]
    if not paths:
        return []
    run = subprocess.run(
        [program, "--dry-run", *paths], cwd=Path(root), capture_output=True, text=True, check=True
    )
    return sorted(set(re.findall(r"^(\S.*?):\d+:\d+: warning", run.stderr, re.MULTILINE)))


if __name__ == "__main__":
    found = clang_format_14()
    if not found:
        print("skipped: clang-format 14 is not installed")
        sys.exit(SKIPPED)
    sys.exit(tree.report([f"{path}: run clang-format on it" for path in check(sys.argv[1], found)]))
