"""No file names a package registry's host or a path of somebody's machine: those belong to the user's configuration.

    check_text.py ROOT
"""

import re
import sys
from pathlib import Path

import tree

# Written in pieces, so that this file does not name them either.
HOSTS = ("py" "pi.org", "pythonhosted" ".org", "debian" ".org", "ubuntu" ".com", "hugging" "face.co", "npm" "js.org")
HOSTS += ("crates" ".io", "docker" ".io", "ghcr" ".io", "quay" ".io", "anaconda" ".org")
HOMES = ("work", "root", r"home/[a-z]\w*", r"Users/[A-Za-z]\w*")
FORBIDDEN = re.compile(
    rb"(?<![\w.-])(?:[\w-]+\.)*(?:" + "|".join(map(re.escape, HOSTS)).encode() + rb")\b"
    rb"|(?<![\w}$*.~-])/(?:" + "|".join(HOMES).encode() + rb")\b/?"
)


def check(root):
    violations = []
    for path in tree.files(root):
        content = (Path(root) / path).read_bytes()
        if b"\0" in content[:4096]:
            continue  # weights and fixtures
        for match in FORBIDDEN.finditer(content):
            line = content.count(b"\n", 0, match.start()) + 1
            violations.append(f"{path}:{line}: {match[0].decode()}")
    return violations


if __name__ == "__main__":
    sys.exit(tree.report(check(sys.argv[1])))
