import json
import tempfile
import unittest
from pathlib import Path

import numpy as np

import safetensors_file
import tiny
from bf16 import from_bf16
from convert import convert, rows_to_rotate_half


class ConvertTest(unittest.TestCase):
    def setUp(self):
        self.scratch = tempfile.TemporaryDirectory()
        self.addCleanup(self.scratch.cleanup)
        self.folder = Path(self.scratch.name)

    def test_rotate_half_order_is_restored_for_every_head(self):
        weight = np.arange(3 * 8 * 5, dtype=np.float32).reshape(24, 5)
        np.testing.assert_array_equal(rows_to_rotate_half(tiny.interleave(weight, 3), 3), weight)

    def test_every_weight_of_a_gguf_file_arrives_under_its_name(self):
        values = tiny.weights()
        tiny.write_gguf(self.folder / "model.gguf", values)
        convert(self.folder / "model.gguf", self.folder)
        written = safetensors_file.Reader(self.folder / "model.safetensors")
        self.assertEqual(sorted(written.names()), sorted(values))
        for name, value in values.items():
            np.testing.assert_array_equal(from_bf16(written.bits(name)), value, err_msg=name)

    def test_config_and_tokenizer_say_what_the_gguf_file_says(self):
        tiny.write_gguf(self.folder / "model.gguf", tiny.weights())
        convert(self.folder / "model.gguf", self.folder)
        config = json.loads((self.folder / "config.json").read_text())
        self.assertEqual(config["rms_norm_eps"], 1e-5)
        self.assertEqual(config["rope_theta"], 100000)
        self.assertEqual((config["num_attention_heads"], config["num_key_value_heads"]), (4, 2))
        tokenizer = json.loads((self.folder / "tokenizer.json").read_text())
        self.assertEqual(tokenizer["model"]["vocab"], {token: i for i, token in enumerate(tiny.TOKENS)})
        self.assertEqual([token["id"] for token in tokenizer["added_tokens"]], [0, 1, 2])
        self.assertEqual(tokenizer["pre_tokenizer"]["pretokenizers"][0]["type"], "Digits")
        words = json.loads((self.folder / "tokenizer_config.json").read_text())
        self.assertEqual((words["bos_token"], words["eos_token"]), ("<|im_start|>", "<|im_end|>"))

    def test_a_gguf_file_that_lacks_a_tensor_is_refused_by_its_name(self):
        values = tiny.weights()
        del values["model.layers.1.mlp.up_proj.weight"]
        tiny.write_gguf(self.folder / "model.gguf", values)
        with self.assertRaisesRegex(ValueError, r"blk\.1\.ffn_up\.weight"):
            convert(self.folder / "model.gguf", self.folder)

    def test_another_pre_tokenizer_is_refused(self):
        tiny.write_gguf(self.folder / "model.gguf", tiny.weights(), pre_tokenizer="llama-bpe")
        with self.assertRaisesRegex(ValueError, "tokenizer.ggml.pre is 'llama-bpe'"):
            convert(self.folder / "model.gguf", self.folder)


if __name__ == "__main__":
    unittest.main()
