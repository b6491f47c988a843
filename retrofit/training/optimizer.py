"""AdamW over what is trained, with a rate per kind of parameter, and its state by parameter name."""

import torch
from torch import nn

from retrofit.training.processes import put, whole
from retrofit.training.recipe import Training

STATE = ("exp_avg", "exp_avg_sq")


def choose_trained(student: nn.Module, mode: str) -> dict[str, nn.Parameter]:
    """Turns gradients on where the mode trains and off elsewhere; the trained parameters by name."""
    trained = {}
    for name, parameter in student.named_parameters():
        parameter.requires_grad_(mode == "full" or kind_of(name) != "full")
        if parameter.requires_grad:
            trained[name] = parameter
    return trained


def kind_of(name: str) -> str:
    if ".dms_proj_alpha" in name or ".borrowed_" in name:
        return "gate"
    return "low_rank" if ".updates." in name else "full"


def build_optimizer(trained: dict[str, nn.Parameter], training: Training) -> torch.optim.AdamW:
    rates = {"gate": training.gate_rate, "low_rank": training.low_rank_rate, "full": training.full_rate}
    groups = []
    for kind, rate in rates.items():
        parameters = [parameter for name, parameter in trained.items() if kind_of(name) == kind]
        if parameters:
            groups.append({"params": parameters, "lr": rate, "base_rate": rate})
    return torch.optim.AdamW(groups, betas=(training.beta1, training.beta2), weight_decay=0.0)


def set_rates(optimizer: torch.optim.Optimizer, training: Training, step: int) -> None:
    """Linear warm-up, then constant, then linear decay to zero over the last decay_steps."""
    factor = min(1.0, (step + 1) / (training.warmup_steps + 1))
    if training.decay_steps:
        factor *= min(1.0, (training.steps - step) / (training.decay_steps + 1))
    for group in optimizer.param_groups:
        group["lr"] = group["base_rate"] * factor


def optimizer_state(optimizer: torch.optim.Optimizer, trained: dict[str, nn.Parameter]) -> dict:
    """Whole tensors on the CPU; every process must call it."""
    state = {}
    for name, parameter in trained.items():
        if parameter in optimizer.state:
            entry = optimizer.state[parameter]
            state[name] = {key: whole(entry[key]) for key in STATE} | {"step": float(entry["step"])}
    return state


def restore_optimizer(optimizer: torch.optim.Optimizer, trained: dict[str, nn.Parameter], state: dict) -> None:
    for name, parameter in trained.items():
        if name not in state:
            continue
        entry = {"step": torch.tensor(state[name]["step"])}
        for key in STATE:
            entry[key] = torch.zeros_like(parameter)
            put(entry[key], state[name][key])
        optimizer.state[parameter] = entry
