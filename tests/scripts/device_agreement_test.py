import struct
import tempfile
import unittest
from pathlib import Path

import device_agreement

LAYERS, HEADS, TOKENS = 2, 2, 6
WINDOW = 2
ROUNDING = 0.1


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

    def table(self, name, values, kind):
        return table(self.folder, name, values, kind)

    def compare(self, *changed):
        """Live slots that differ in these cells, and in all later ones of their heads."""
        live = list(self.live)
        for layer, head, token in changed:
            for later in range(token, TOKENS):
                live[self.index(layer, head, later)] += 1
        summary = {"threshold": 0.0, "compression_ratio": 1.0, "window": WINDOW}
        gates = self.table("gates", self.gates, "<f4")
        expected = (gates, self.table("expected", self.live, "<i4"), summary, None)
        found = (gates, self.table("found", live, "<i4"), summary, None)
        return device_agreement.compare_live(found, expected, ROUNDING)

    def near(self, layer, head, token):
        self.gates[self.index(layer, head, token)] = 0.05

    def test_a_table_is_read_by_layer_head_and_token(self):
        self.assertEqual(self.table("live", self.live, "<i4").at(1, 0, 2), 14)

    def test_equal_live_slots_agree(self):
        self.assertTrue(self.compare()["agrees"])

    def test_a_head_that_differs_without_a_near_gate_does_not_agree(self):
        result = self.compare((1, 0, 3))
        self.assertFalse(result["agrees"])
        self.assertEqual(result["unexplained"], [[1, 0, 3]])

    def test_a_head_may_differ_a_window_after_its_own_near_gate(self):
        self.near(1, 0, 1)
        self.assertTrue(self.compare((1, 0, 3))["agrees"])

    def test_a_near_gate_of_another_head_or_time_excuses_nothing(self):
        self.near(1, 1, 1)
        self.near(1, 0, 4)
        self.assertFalse(self.compare((1, 0, 3))["agrees"])

    def test_other_heads_may_differ_only_more_than_a_window_after_the_first(self):
        self.near(0, 0, 0)
        self.assertTrue(self.compare((0, 0, 2), (1, 1, 5))["agrees"])
        self.assertFalse(self.compare((0, 0, 2), (1, 1, 4))["agrees"])

    def gates_of(self, **changes):
        values = list(self.gates)
        for name, value in changes.items():
            values[int(name[1:])] = value
        return self.table("some", values, "<f4")

    def compare_gates(self, **changes):
        return device_agreement.compare_gates(
            self.gates_of(**changes), self.gates_of(_3=5.05), self.gates_of())

    def test_gates_may_differ_by_twice_the_rounding_of_the_cpu(self):
        self.assertTrue(self.compare_gates(_7=5.09)["agrees"])
        self.assertFalse(self.compare_gates(_7=5.2)["agrees"])

    def test_a_gate_that_is_no_number_does_not_agree(self):
        self.assertFalse(self.compare_gates(_7=float("nan"))["agrees"])

    def test_gates_that_nobody_has_are_left_out(self):
        nan = float("nan")
        self.assertEqual(device_agreement.differences(self.gates_of(_1=nan), self.gates_of(_1=nan))[-1], 0)

    @staticmethod
    def index(layer, head, token):
        return (layer * HEADS + head) * TOKENS + token


if __name__ == "__main__":
    unittest.main()
