"""Tiny random checkpoints for the tests, and what every test needs to find."""

import json
import sys
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "tests/oracle/fixtures"
sys.path.insert(0, str(ROOT))
sys.path.insert(0, str(ROOT / "assets/default_model"))
torch.set_num_threads(1)


def oracle_cases(wanted):
    """The oracle's cases that `wanted` accepts, as pytest parameters."""
    cases = json.loads((FIXTURES / "cases.json").read_text())
    return [pytest.param(case, id=case["name"]) for case in cases if wanted(case)]
