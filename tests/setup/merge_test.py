import json
import tempfile
import unittest
from pathlib import Path

import numpy as np

import safetensors_file
import tiny
from bf16 import from_bf16, to_bf16
from merge import merge

K_PROJ = "model.layers.1.self_attn.k_proj"
GATE = "model.layers.1.self_attn.dms_proj_alpha.weight"


class MergeTest(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = Path(scratch.name)
        self.plain = tiny.weights()
        tiny.write_plain(self.folder / "plain", self.plain)

    def merge(self, values, metadata=None):
        tiny.write_tensors(self.folder / "compact", values, tiny.METADATA if metadata is None else metadata)
        merge(self.folder / "plain", self.folder / "compact", self.folder)
        return safetensors_file.Reader(self.folder / "model.safetensors")

    def test_an_update_is_added_as_b_times_a_and_rounded_once(self):
        values = tiny.compact_values()
        written = self.merge(values)
        b, a = (values[f"{K_PROJ}.lora_{part}.weight"].astype(np.float64) for part in "BA")
        exact = self.plain[f"{K_PROJ}.weight"] + b @ a  # small multiples of 2^-12: exact in float32 too
        np.testing.assert_array_equal(written.bits(f"{K_PROJ}.weight"), to_bf16(exact))

    def test_everything_else_is_copied(self):
        values = tiny.compact_values()
        written = self.merge(values)
        for name, value in self.plain.items():
            if "k_proj" not in name:
                np.testing.assert_array_equal(from_bf16(written.bits(name)), value, err_msg=name)
        np.testing.assert_array_equal(from_bf16(written.bits(GATE)), values[GATE])
        self.assertFalse([name for name in written.names() if "lora" in name])

    def test_the_metadata_becomes_nvidia_s_config_keys(self):
        self.merge(tiny.compact_values())
        config = json.loads((self.folder / "config.json").read_text())
        self.assertEqual(config["dms_window_size"], 64)
        self.assertEqual(config["dms_alpha_scale"], 100)
        self.assertEqual(config["dms_initial_alpha_offset"], 5)
        self.assertIs(config["dms_separate_alpha"], True)
        self.assertEqual(config["hidden_size"], tiny.HIDDEN)

    def test_refuses_a_compact_file_that_does_not_fit(self):
        def without(name):
            values = tiny.compact_values()
            del values[name]
            return values

        square = np.zeros((tiny.HIDDEN, tiny.HIDDEN), np.float32)
        cases = [
            ("expected tensor model.layers.1.self_attn.dms_proj_alpha.weight", without(GATE)),
            ("does not fit", tiny.compact_values() | {f"{K_PROJ}.lora_B.weight": square}),
            ("lora_B.weight is missing", without(f"{K_PROJ}.lora_B.weight")),
            ("lora_A.weight is missing", without(f"{K_PROJ}.lora_A.weight")),
            ("unexpected tensor lm_head.weight", tiny.compact_values() | {"lm_head.weight": square}),
            ("which the model lacks", tiny.compact_values() | {"x_proj.lora_A.weight": square}),
        ]
        for message, values in cases:
            with self.subTest(message), self.assertRaisesRegex(ValueError, message):
                self.merge(values)

    def test_refuses_metadata_it_does_not_understand(self):
        for change in ({"lag": "0"}, {"merge": "W - B @ A"}, {"dms_separate_alpha": "false"}):
            with self.subTest(change), self.assertRaisesRegex(ValueError, "lag 1"):
                self.merge(tiny.compact_values(), tiny.METADATA | change)
        with self.assertRaisesRegex(ValueError, "lacks dms_window_size"):
            self.merge(tiny.compact_values(), {k: v for k, v in tiny.METADATA.items() if k != "dms_window_size"})

    def test_refuses_a_truncated_file(self):
        path = self.folder / "plain" / "model.safetensors"
        path.write_bytes(path.read_bytes()[:-1])
        with self.assertRaisesRegex(ValueError, "not a complete BF16 tensor"):
            self.merge(tiny.compact_values())


if __name__ == "__main__":
    unittest.main()
