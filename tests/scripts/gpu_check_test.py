import json
import os
import stat
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SCRIPT = Path(os.environ["DMSCOPE_SOURCE"]) / "scripts" / "gpu_check"
USABLE = '{"device": {"cuda": {"usable": true}}}'
UNUSABLE = '{"device": {"cuda": {"usable": false}}}'


class GpuCheckTest(unittest.TestCase):
    """On a build folder whose programs are shell scripts."""

    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = Path(scratch.name) / "build"
        self.out = Path(scratch.name) / "out.json"
        for name in self.programs():
            self.program(name, "exit 0")
        self.device(USABLE)

    @staticmethod
    def programs():
        listed = subprocess.run([sys.executable, "-B", SCRIPT, "tests"], capture_output=True, check=True, text=True)
        return listed.stdout.split()

    def program(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    def device(self, info, bench="echo '{\"decode\": []}'; sleep 0.1"):
        self.program("dmscope", f"case $1 in info) echo '{info}';; bench) {bench};; esac")

    def run_check(self, *options):
        command = [sys.executable, "-B", SCRIPT, "run", self.folder, self.out, "--seconds", "12", "--soak", "2"]
        done = subprocess.run([*command, *options], capture_output=True, check=False, text=True)
        return done.returncode, json.loads(self.out.read_text())

    def test_what_runs_well_passes_and_is_in_the_report(self):
        status, report = self.run_check()
        self.assertEqual((status, report["passed"]), (0, True), report)
        self.assertEqual(len(report["tests"]), len(self.programs()))
        self.assertEqual(report["benchmarks"][0]["result"], {"decode": []})

    def test_a_failed_test_fails_the_whole_and_the_rest_still_runs(self):
        self.program(self.programs()[0], "echo wrong; exit 42")
        status, report = self.run_check()
        self.assertEqual((status, report["passed"]), (1, False))
        self.assertIn("wrong", report["tests"][0]["output"])
        self.assertTrue(report["benchmarks"])

    def test_without_a_usable_gpu_nothing_was_shown(self):
        self.device(UNUSABLE)
        self.assertEqual(self.run_check()[0], 1)

    def test_a_benchmark_that_hangs_is_stopped_and_reported(self):
        self.device(USABLE, bench="exec sleep 60")
        _, report = self.run_check()
        self.assertEqual(report["benchmarks"][0]["status"], "timeout")

    def test_the_comparison_says_why_it_did_not_run(self):
        _, report = self.run_check()
        self.assertIn("no checkpoint", report["agreement"]["reason"])

    def test_a_comparison_that_fails_fails_the_whole(self):
        status, report = self.run_check("--model", "/nonexistent")
        self.assertEqual(status, 1)
        self.assertNotEqual(report["agreement"]["status"], 0)

    def test_packing_names_what_a_build_lacks(self):
        (self.folder / self.programs()[0]).unlink()
        done = subprocess.run([sys.executable, "-B", SCRIPT, "pack", self.folder, self.out], capture_output=True,
                              check=False, text=True)
        self.assertEqual(done.returncode, 1)
        self.assertIn(self.programs()[0], done.stderr)


if __name__ == "__main__":
    unittest.main()
