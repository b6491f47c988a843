import sys
import unittest
from unittest import mock

import memory_soak

GROWS = "import time\nkept = []\nwhile True: kept.append(b'x' * (8 << 20)); time.sleep(0.05)"
STAYS = "import time\nwhile True: time.sleep(0.05)"
OBEYS = "import signal, sys, time\nsignal.signal(signal.SIGINT, lambda *_: sys.exit(1))\n"


def watch(program, seconds=3.0):
    with mock.patch.object(memory_soak, "INTERVAL", 0.1):
        return memory_soak.watch([sys.executable, "-c", program], seconds)


class MemorySoakTest(unittest.TestCase):
    def test_memory_that_stays_is_flat(self):
        report = watch(OBEYS + STAYS)
        self.assertTrue(report["flat"]["process_mib"])
        self.assertTrue(report["passed"])

    def test_memory_that_grows_fails(self):
        report = watch(OBEYS + GROWS)
        self.assertFalse(report["flat"]["process_mib"])
        self.assertFalse(report["passed"])

    def test_a_command_that_fails_has_not_passed(self):
        report = watch("import sys; sys.exit('no memory left')")
        self.assertEqual(report["status"], 1)
        self.assertIn("no memory left", report["errors"])
        self.assertFalse(report["passed"])

    def test_a_command_that_dies_of_the_interrupt_has_not_passed(self):
        report = watch("import signal\nsignal.signal(signal.SIGINT, signal.SIG_DFL)\n" + STAYS)
        self.assertFalse(report["passed"])

    def test_the_first_third_may_grow(self):
        self.assertTrue(memory_soak.is_flat([0, 500, 900, 1000, 1000, 1000, 1000, 1000, 1000]))
        self.assertFalse(memory_soak.is_flat([0, 500, 900, 1000, 1000, 1000, 1000, 1000, 1100]))

    def test_a_few_samples_say_nothing(self):
        self.assertIsNone(memory_soak.is_flat([1, 2, 3]))


if __name__ == "__main__":
    unittest.main()
