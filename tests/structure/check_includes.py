"""Which folder may include what: the module table of the README, checked on the #include lines themselves.

    check_includes.py ROOT
"""

import re
import sys
from pathlib import Path

import tree

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?:"([^"]+)"|<([^>]+)>)', re.MULTILINE)

# Our own headers, by the prefix of their path. A module's headers in another module must be public ones besides.
MAY_INCLUDE = {
    "kernels": ("kernels/",),
    "engine": ("engine/", "kernels/"),
    "profiling": ("profiling/", "engine/events/"),
    "app": ("app/", "engine/", "profiling/"),
}

# Other people's headers and the folders where they may be included. What is in neither table is not ours to use.
LIBRARIES = {
    r"sqlite3\w*\.h": ("profiling",),
    r"cupti\w*\.h|generated_cuda\w*\.h": ("profiling",),
    r"(cuda|cublas|nv|cooperative_groups).*|mma\.h": ("kernels",),
    r"hwy/.*": ("kernels",),
    r"imgui.*|implot.*|GLFW/.*|GL/.*|GLES\d?/.*|EGL/.*|KHR/.*": ("app",),
    r"zlib\.h": ("app",),  # PNG
    r"CLI/.*": ("app",),
    r"utf8proc\.h": ("engine/tokenizer",),
    r"pcre2\.h": ("engine/tokenizer", "app/view"),
    r"nlohmann/.*": ("engine", "profiling", "app"),
    r"fmt/.*": ("engine", "profiling", "app"),
    r"catch2/.*": (),
}
STANDARD = re.compile(
    r"[a-z_]+"  # the C++ library: no suffix
    r"|(immintrin|cpuid|cxxabi|dlfcn|link|fcntl|poll|pthread|sched|semaphore|signal|termios|time|unistd|errno|limits|malloc)\.h"
    r"|(sys|linux)/\w+\.h"
)
NOT_BEHIND_APP = re.compile(r"sqlite3\w*\.h|cuda.*|cupti.*")


def includes(path):
    """(line, our header or None, somebody else's or None) of each #include."""
    text = path.read_text(encoding="utf-8")
    for match in INCLUDE.finditer(text):
        yield text.count("\n", 0, match.start()) + 1, match[1], match[2]


def public_headers(root):
    lines = (root / "tests/structure/public_headers.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def own_header_problem(module, header, public):
    top = header.split("/")[0]
    if "/" not in header or top not in (*tree.MODULES, "tests"):
        return "write the path from the root of the repository"
    if not header.startswith(MAY_INCLUDE[module]):
        return f"{module}/ may include only {', '.join(MAY_INCLUDE[module])}"
    if top != module and header not in public:
        return f"{header} is not a public header of {top}/ (tests/structure/public_headers.txt)"
    return None


def library_problem(path, header):
    for pattern, folders in LIBRARIES.items():
        if re.fullmatch(pattern, header):
            if any(path.is_relative_to(folder) for folder in folders):
                return None
            return f"<{header}> may be included only in {' and '.join(folders) or 'tests'}"
    return None if STANDARD.fullmatch(header) else f"<{header}> is neither standard nor a library of the project"


def reached(root, header, seen):
    """Other people's headers that `header` of ours brings along."""
    if header in seen or not (root / header).is_file():
        return set()
    seen.add(header)
    found = set()
    for _, own, library in includes(root / header):
        found |= {library} if library else reached(root, own, seen)
    return found


def check(root):
    root = Path(root)
    public = public_headers(root)
    violations = [f"tests/structure/public_headers.txt: {name} does not exist" for name in public if not (root / name).is_file()]
    for path in tree.sources(root, *tree.MODULES):
        for line, own, library in includes(root / path):
            problem = own_header_problem(path.parts[0], own, public) if own else library_problem(path, library)
            if problem:
                violations.append(f"{path}:{line}: {problem}")
            elif path.parts[0] == "app" and own:
                for hidden in sorted(filter(NOT_BEHIND_APP.fullmatch, reached(root, own, set()))):
                    violations.append(f"{path}:{line}: {own} brings <{hidden}> into app/")
    return violations


if __name__ == "__main__":
    sys.exit(tree.report(check(sys.argv[1])))
