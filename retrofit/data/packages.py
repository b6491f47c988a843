"""English text that Debian packages carry: handbooks, documentation, literature.

`apt-get download` fetches a package with the user's own apt configuration; it is unpacked, never installed.
"""

import gzip
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

from retrofit.data.documents import Document
from retrofit.errors import BadInput

LIST = Path(__file__).with_name("debian_packages.txt")
SHORTEST = 1500  # characters; shorter files are notices and redirects
LONGEST = 2_000_000
SKIPPED = re.compile(r"copyright|changelog|license|\.po$|genindex|py-modindex|searchindex|-toc\.", re.IGNORECASE)
ENGLISH = re.compile(r"\b(?:the|of|and|to|is|in|that)\b", re.IGNORECASE)


def package_names(path: Path = LIST) -> list[str]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror}") from None
    return [line.split("#")[0].strip() for line in lines if line.split("#")[0].strip()]


def package_documents(names: list[str], cache: Path) -> Iterator[Document]:
    """The documents of each package, without repetitions. A package that apt lacks is left out with a note."""
    seen = set()
    for name in names:
        folder = _unpacked(name, cache)
        if folder is None:
            continue
        for path in sorted(folder.rglob("*")):
            text = _document_text(path)
            if text and hash(text) not in seen:
                seen.add(hash(text))
                yield Document(f"{name}/{path.name}", text)


def _unpacked(name: str, cache: Path) -> Path | None:
    folder = cache / name
    if folder.is_dir():
        return folder
    for tool in ("apt-get", "dpkg-deb"):
        if not shutil.which(tool):
            raise BadInput(
                f"{tool} is not installed: text of packages needs Debian or Ubuntu; give --text files instead"
            )
    scratch = cache / f".partial-{name}"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    scratch.chmod(0o777)  # apt downloads as a user of its own
    print(f"fetching {name} with apt", file=sys.stderr)
    run = subprocess.run(["apt-get", "download", name], cwd=scratch, capture_output=True, text=True, check=False)
    archives = list(scratch.glob("*.deb"))
    if run.returncode != 0 or len(archives) != 1:
        reason = (run.stderr.strip().splitlines() or ["no reason given"])[-1]
        print(f"note: {name} is left out: {reason}", file=sys.stderr)
        shutil.rmtree(scratch)
        return None
    subprocess.run(["dpkg-deb", "-x", archives[0], scratch / "tree"], check=True)
    (scratch / "tree").rename(folder)
    shutil.rmtree(scratch)
    return folder


def _document_text(path: Path) -> str | None:
    """Text of a file that reads like English prose, else None."""
    if path.is_symlink() or not path.is_file() or SKIPPED.search(path.name) or path.stat().st_size > LONGEST:
        return None
    name = path.name.removesuffix(".gz")
    kind = Path(name).suffix
    is_text = kind in (".txt", ".rst", ".md", ".text", ".pod") or ("games/fortunes" in str(path) and kind == "")
    if kind not in (".html", ".htm") and not is_text:
        return None
    try:
        raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        text = raw.decode("utf-8")
    except (OSError, EOFError, UnicodeDecodeError):
        return None
    if kind in (".html", ".htm"):
        text = _html_text(text)
    text = re.sub(r"[ \t]+\n", "\n", text)
    text = re.sub(r"\n{3,}", "\n\n", text).strip()
    return text if SHORTEST <= len(text) <= LONGEST and _is_english(text) else None


def _is_english(text: str) -> bool:
    """At least one in twelve words is among the commonest: tables, code and other languages have fewer."""
    return 12 * len(ENGLISH.findall(text)) >= len(text.split())


def _html_text(html: str) -> str:
    parser = _Prose()
    parser.feed(html)
    return "".join(parser.parts)


class _Prose(HTMLParser):
    """Text of a page with line breaks where blocks end; without scripts, navigation and headers."""

    HIDDEN = ("script", "style", "head", "nav", "footer", "header")
    BLOCKS = ("p", "div", "li", "pre", "tr", "dd", "dt", "h1", "h2", "h3", "h4", "h5", "blockquote", "br")

    def __init__(self):
        super().__init__()
        self.parts: list[str] = []
        self._hidden = 0
        self._verbatim = 0

    def handle_starttag(self, tag, attrs):
        self._hidden += tag in self.HIDDEN
        self._verbatim += tag == "pre"

    def handle_endtag(self, tag):
        self._hidden -= tag in self.HIDDEN and self._hidden > 0
        self._verbatim -= tag == "pre" and self._verbatim > 0
        if tag in self.BLOCKS and not self._hidden:
            self.parts.append("\n" if tag in ("li", "tr", "dt", "br") else "\n\n")

    def handle_data(self, data):
        if not self._hidden:
            self.parts.append(data if self._verbatim else re.sub(r"\s+", " ", data))
