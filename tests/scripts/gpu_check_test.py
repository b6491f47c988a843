import json
import os
import stat
import subprocess
import sys
import tempfile
import unittest
import unittest.mock
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
            self.case_program(name, ":")
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

    def case_program(self, name, case):
        listing = "echo 'It works'; echo 'It fails, now'"
        self.program(name, f'if [ "$1" = --list-tests ]; then {listing}; else {case}; fi')

    def device(self, info, bench="""echo '{"decode": []}'; sleep 0.1"""):
        self.program("dmscope", f"case $1 in info) echo '{info}';; bench) {bench};; esac")

    def run_check(self, parts, *options):
        command = [sys.executable, "-B", SCRIPT, "run", self.folder, self.out, "--only", parts]
        done = subprocess.run([*command, "--seconds", "12", "--soak", "2", *options], capture_output=True, check=False,
                              text=True)
        return done.returncode, json.loads(self.out.read_text())

    def test_what_runs_well_passes_and_is_in_the_report(self):
        status, report = self.run_check("machine,tests,benchmarks")
        self.assertEqual(status, 0, report)
        self.assertEqual(report["verdicts"], {"machine": "passed", "tests": "passed", "benchmarks": "passed"})
        self.assertEqual(len(report["tests"]), 2 * len(self.programs()))
        self.assertEqual(report["benchmarks"][0]["result"], {"decode": []})

    def test_every_case_runs_alone_and_one_that_fails_fails_its_part_alone(self):
        self.case_program(self.programs()[0], """[ "$1" = 'It works' ] || { echo "wrong: $1"; exit 42; }""")
        status, report = self.run_check("machine,tests,benchmarks")
        self.assertEqual(status, 1)
        self.assertEqual(report["verdicts"], {"machine": "passed", "tests": "failed", "benchmarks": "passed"})
        self.assertEqual([case["status"] for case in report["tests"]][:2], [0, 42])
        self.assertIn("wrong: It fails\\, now", report["tests"][1]["output"])

    def test_what_is_skipped_was_not_shown(self):
        for name in self.programs():
            self.case_program(name, "exit 4")
        self.device(UNUSABLE)
        status, report = self.run_check("machine,tests")
        self.assertEqual((status, report["verdicts"]), (1, {"machine": "not shown", "tests": "not shown"}))

    def test_a_benchmark_that_hangs_is_stopped_and_what_it_printed_is_kept(self):
        self.device(USABLE, bench="""trap 'echo "{\\"decode\\": [1]}"; exit 1' INT; sleep 60 & wait""")
        status, report = self.run_check("benchmarks")
        self.assertEqual((status, report["verdicts"]["benchmarks"]), (1, "not shown"))
        self.assertEqual(report["benchmarks"][0]["status"], "timeout")
        self.assertEqual(report["benchmarks"][0]["result"], {"decode": [1]})
        self.assertLess(report["seconds"], 13)

    def test_a_warning_beside_a_result_does_not_spoil_it(self):
        self.device(USABLE, bench="echo careful >&2; echo '{}'")
        _, report = self.run_check("benchmarks")
        self.assertEqual(report["benchmarks"][0]["result"], {})
        self.assertIn("careful", report["benchmarks"][0]["errors"])

    def test_without_a_checkpoint_the_comparison_is_not_shown(self):
        status, report = self.run_check("agreement")
        self.assertEqual((status, report["verdicts"]["agreement"]), (1, "not shown"))

    def test_a_comparison_that_fails_fails_the_whole(self):
        status, report = self.run_check("agreement", "--model", "/nonexistent")
        self.assertEqual((status, report["verdicts"]["agreement"]), (1, "failed"))

    def test_sanitizers_run_the_tests_and_say_what_they_found(self):
        for says, status, expected in (
            ("echo fine", 0, "passed"),
            ("echo 'Invalid __global__ write'; exit 99", 1, "failed"),
            ("echo 'Error: Device not supported'; exit 255", 1, "not shown"),
        ):
            self.program("bin/compute-sanitizer", f'echo "$@"; {says}')
            with unittest.mock.patch.dict(os.environ, PATH=f"{self.folder}/bin:{os.environ['PATH']}"):
                done, report = self.run_check("sanitizers")
            self.assertEqual((done, report["verdicts"]["sanitizers"]), (status, expected), report)
            tools = {step["output"].split()[1] for step in report["sanitizers"]}
            self.assertEqual(tools, {"memcheck", "racecheck", "initcheck"})

    def test_an_unknown_part_is_refused(self):
        command = [sys.executable, "-B", SCRIPT, "run", self.folder, self.out, "--only", "speed"]
        done = subprocess.run(command, capture_output=True, check=False, text=True)
        self.assertEqual(done.returncode, 2)
        self.assertIn("speed: expected machine, tests", done.stderr)

    @unittest.skipUnless("DMSCOPE_PROGRAM" in os.environ, "the program was not built")
    def test_the_program_takes_every_option_that_it_is_called_with(self):
        (self.folder / "dmscope").unlink()
        (self.folder / "dmscope").symlink_to(os.environ["DMSCOPE_PROGRAM"])
        _, report = self.run_check("benchmarks,soaks", "--seconds", "60")
        for step in [*report["benchmarks"], *report["soaks"]]:
            said = step["errors"] + json.dumps(step.get("result", ""))
            if step["status"] != 0:
                self.assertRegex(said, "driver|no CUDA backend|no GPU", step["command"])

    def test_packing_names_what_a_build_lacks(self):
        (self.folder / self.programs()[0]).unlink()
        done = subprocess.run([sys.executable, "-B", SCRIPT, "pack", self.folder, self.out], capture_output=True,
                              check=False, text=True)
        self.assertEqual(done.returncode, 1)
        self.assertIn(self.programs()[0], done.stderr)


if __name__ == "__main__":
    unittest.main()
