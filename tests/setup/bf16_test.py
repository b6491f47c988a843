import unittest

import numpy as np

from bf16 import from_bf16, to_bf16


def bits(*values):
    return np.array(values, dtype=np.uint32).view(np.float32)


class Bf16Test(unittest.TestCase):
    def test_every_finite_bf16_value_survives_a_round_trip(self):
        values = np.arange(0x10000, dtype=np.uint16)
        finite = values[(values & 0x7F80) != 0x7F80]
        np.testing.assert_array_equal(to_bf16(from_bf16(finite)), finite)

    def test_rounds_to_nearest_and_ties_to_even(self):
        cases = bits(0x3F807FFF, 0x3F808000, 0x3F808001, 0x3F818000, 0xBF818000)
        np.testing.assert_array_equal(to_bf16(cases), [0x3F80, 0x3F80, 0x3F81, 0x3F82, 0xBF82])

    def test_refuses_what_is_not_finite(self):
        for value in (np.nan, np.inf, -np.inf):
            with self.assertRaisesRegex(ValueError, "finite"):
                to_bf16(np.array([1, value], dtype=np.float32))


if __name__ == "__main__":
    unittest.main()
