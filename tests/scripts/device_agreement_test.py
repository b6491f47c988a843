import struct
import tempfile
import unittest
from pathlib import Path

import device_agreement

LAYERS, HEADS, TOKENS = 2, 2, 3
THRESHOLD = 0.0


def table(folder, name, values, kind):
    """An npy file as `dmscope score` writes it, read back."""
    header = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': ({LAYERS}, {HEADS}, {TOKENS}), }}"
    header = header.ljust(117) + "\n"
    code = {"<f4": "f", "<i4": "i"}[kind]
    path = Path(folder) / name
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode()
                     + struct.pack(f"<{len(values)}{code}", *values))
    return device_agreement.Table(path)


class DeviceAgreementTest(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = scratch.name
        self.gates = [5.0] * (LAYERS * HEADS * TOKENS)
        self.live = list(range(LAYERS * HEADS * TOKENS))

    def compare(self, live):
        summary = {"threshold": THRESHOLD, "compression_ratio": 1.0}
        gates = table(self.folder, "gates", self.gates, "<f4")
        expected = (gates, table(self.folder, "expected", self.live, "<i4"), summary, None)
        found = (gates, table(self.folder, "found", live, "<i4"), summary, None)
        return device_agreement.compare_live("decode", found, expected, 0.1)

    def test_a_table_is_read_by_layer_head_and_token(self):
        self.assertEqual(table(self.folder, "live", self.live, "<i4").at(1, 0, 2), 8)

    def test_equal_live_slots_agree(self):
        result = self.compare(self.live)
        self.assertTrue(result["agrees"])
        self.assertEqual(result["different"], 0)

    def test_a_difference_without_a_near_gate_does_not_agree(self):
        self.live[self.index(1, 0, 1)] += 1
        found = list(self.live)
        found[self.index(1, 0, 1)] -= 1
        result = self.compare(found)
        self.assertFalse(result["agrees"])
        self.assertEqual(result["first_difference"], (1, 1))
        self.assertEqual(result["nearest_gate"], 5.0)

    def test_a_difference_may_follow_from_an_earlier_gate_near_the_threshold(self):
        self.gates[self.index(0, 1, 1)] = 0.05
        found = list(self.live)
        found[self.index(1, 0, 1)] += 1
        self.assertTrue(self.compare(found)["agrees"])

    def test_a_near_gate_of_a_later_decision_excuses_nothing(self):
        self.gates[self.index(1, 1, 1)] = 0.05
        found = list(self.live)
        found[self.index(0, 0, 1)] += 1
        self.assertFalse(self.compare(found)["agrees"])

    def test_the_largest_difference_is_found(self):
        a = table(self.folder, "a", [0.0] * 12, "<f4")
        b = table(self.folder, "b", [0.0] * 7 + [-0.5] + [0.25] * 4, "<f4")
        self.assertEqual(device_agreement.largest_difference(a, b), 0.5)

    @staticmethod
    def index(layer, head, token):
        return (layer * HEADS + head) * TOKENS + token


if __name__ == "__main__":
    unittest.main()
