"""The checks of this folder find what they are there to find: each is run on a small bad tree."""

import tempfile
import unittest
from pathlib import Path

import check_format
import check_includes
import check_text
import tree


class StructureTest(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.root = Path(scratch.name)
        self.write("tests/structure/public_headers.txt", "# public\nengine/session/session.hpp\nprofiling/reader.hpp\n")
        self.write("engine/session/session.hpp", "#pragma once\n")
        self.write("engine/session/detail.hpp", "#pragma once\n")
        self.write("profiling/reader.hpp", "#pragma once\n")

    def write(self, path, text):
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text)

    def test_a_tree_that_follows_the_rules_is_accepted(self):
        self.write("kernels/a.cpp", '#include "kernels/a.hpp"\n#include <immintrin.h>\n#include <vector>\n')
        self.write("engine/events/events.hpp", "#include <fmt/format.h>\n")
        self.write("engine/session/a.cpp", '#include "engine/session/detail.hpp"\n#include <sys/mman.h>\n')
        self.write("profiling/a.cpp", '#include <sqlite3.h>\n#include "profiling/b.hpp"\n')
        self.write("app/a.cpp", '#include "engine/session/session.hpp"\n#include <CLI/CLI.hpp>\n')
        self.assertEqual(check_includes.check(self.root), [])

    def test_every_forbidden_include_is_found(self):
        cases = [
            ("kernels/a.cpp", '"engine/session/session.hpp"', "kernels/ may include only"),
            ("kernels/a.cpp", "<nlohmann/json.hpp>", "may be included only in engine"),
            ("engine/a.cpp", '"profiling/reader.hpp"', "engine/ may include only"),
            ("engine/a.cpp", "<sqlite3.h>", "only in profiling"),
            ("engine/a.cpp", "<cupti.h>", "only in profiling"),
            ("engine/a.cpp", "<imgui.h>", "only in app"),
            ("engine/a.cpp", "<GLFW/glfw3.h>", "only in app"),
            ("profiling/a.cpp", '"engine/session/session.hpp"', "profiling/ may include only"),
            ("profiling/a.cpp", '"kernels/tensor.hpp"', "profiling/ may include only"),
            ("profiling/a.cpp", "<imgui.h>", "only in app"),
            ("app/a.cpp", "<sqlite3.h>", "only in profiling"),
            ("app/a.cpp", "<cuda_runtime.h>", "only in kernels"),
            ("app/a.cpp", "<cupti.h>", "only in profiling"),
            ("app/a.cpp", '"kernels/tensor.hpp"', "app/ may include only"),
            ("app/a.cpp", '"engine/session/detail.hpp"', "not a public header"),
            ("app/a.cpp", '"a.hpp"', "path from the root"),
            ("app/a.cpp", '"../engine/session/session.hpp"', "path from the root"),
            ("app/a.cpp", "<catch2/catch_all.hpp>", "only in tests"),
            ("engine/a.cpp", "<boost/any.hpp>", "neither standard nor"),
        ]
        for path, header, message in cases:
            with self.subTest(f"{path} {header}"):
                self.write(path, f"int a;\n  #  include {header}\n")
                (violation,) = check_includes.check(self.root)
                self.assertIn(f"{path}:2: ", violation)
                self.assertIn(message, violation)
                (self.root / path).unlink()

    def test_a_vendor_header_behind_a_public_header_is_found(self):
        self.write("profiling/database.hpp", "#include <sqlite3.h>\n")
        self.write("profiling/reader.hpp", '#include "profiling/database.hpp"\n')
        self.write("app/a.cpp", '#include "profiling/reader.hpp"\n')
        self.assertEqual(check_includes.check(self.root), ["app/a.cpp:1: profiling/reader.hpp brings <sqlite3.h> into app/"])

    def test_a_public_header_that_does_not_exist_is_found(self):
        (self.root / "profiling/reader.hpp").unlink()
        self.assertIn("profiling/reader.hpp does not exist", check_includes.check(self.root)[0])

    def test_registry_hosts_and_machine_paths_are_found(self):
        for text in ("see https://py" "pi.org/x", "deb.debian" ".org/debian", "open('/ro" "ot/x')", "cd /wo" "rk/wt", " /ho" "me/ann/m"):
            with self.subTest(text):
                self.write("docs/a.md", f"fine\n{text}\n")
                (violation,) = check_text.check(self.root)
                self.assertTrue(violation.startswith("docs/a.md:2: "), violation)

    def test_ordinary_text_is_accepted(self):
        self.write("docs/a.md", "PyPI, Debian, ~/work/x, $HOME/work, network/root.hpp, https://arxiv.org/abs/2506.05345\n")
        self.assertEqual(check_text.check(self.root), [])

    def test_the_build_folder_is_not_looked_at(self):
        self.write("build/a.hpp", "x")
        self.write("app/build/a.hpp", "x")
        self.assertEqual([str(path) for path in tree.sources(self.root, "build", "app")], ["app/build/a.hpp"])

    def test_an_unformatted_file_is_found(self):
        program = check_format.clang_format_14()
        if not program:
            self.skipTest("clang-format 14 is not installed")
        self.write(".clang-format", "BasedOnStyle: Google\n")
        self.write("app/good.cpp", "int main() { return 0; }\n")
        self.write("app/bad.cpp", "int  main( ) {return 0;}\n")
        self.assertEqual(check_format.check(self.root, program), ["app/bad.cpp"])


if __name__ == "__main__":
    unittest.main()
