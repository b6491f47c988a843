"""A training run from recipe to last checkpoint; resumes from the newest checkpoint in its folder.

SIGINT and SIGTERM end the step under way, write a checkpoint and stop. A loss that is not a number stops the run before
it changes a weight, so that the last checkpoint stays good.
"""

import dataclasses
import math
import signal
import time
from pathlib import Path

import torch
from torch import nn

from retrofit.data.batches import Batches, text_sequence
from retrofit.data.prepared import Prepared
from retrofit.data.tokens import Tokens
from retrofit.errors import BadInput, TrainingFailed
from retrofit.model.checkpoint_files import CheckpointFiles
from retrofit.model.load import attention_blocks, checkpoint_layers, load_plain, transformers_model
from retrofit.model.noise import logistic_noise, seed_of
from retrofit.model.state import Mode, PassState
from retrofit.output.compact import read_compact
from retrofit.training import memory, optimizer, snapshot
from retrofit.training.distill import Distiller
from retrofit.training.heldout import heldout
from retrofit.training.log import Log
from retrofit.training.processes import Processes, put, whole
from retrofit.training.recipe import Recipe

INTERRUPTED = 130


class Run:
    def __init__(self, recipe: Recipe, folder: Path, processes: Processes):
        self.recipe, self.folder, self.processes = recipe, folder, processes
        self.training, self.device = recipe.training, processes.device
        if self.training.threads and self.device.type == "cpu":
            torch.set_num_threads(self.training.threads)
        files = CheckpointFiles(Path(recipe.model))
        tokens = Tokens(files.folder)
        self._check_fit(files, tokens)
        prepared = Prepared(Path(recipe.data.folder), tokens)
        self.batches = Batches(recipe, prepared, tokens)
        self.heldout = self._heldout_texts(prepared)
        needed = memory.needed_bytes(recipe, files.config, files.parameter_count(), processes.count)
        memory.check_memory(needed, self.device)
        self.config = files.config
        resumed = snapshot.newest(folder, recipe.fingerprint())
        self._build(files)
        self.step = self._restore(resumed) if resumed else 0
        if recipe.start and not resumed:
            self._start_from(Path(recipe.start))
        self._stop = False

    def train(self, stop_after_seconds: float = math.inf) -> int:
        """Exit status: 0 when all steps are done or the time is up, 130 when interrupted. Raises TrainingFailed."""
        self.folder.mkdir(parents=True, exist_ok=True)
        log = Log(self.folder, self.step, self.training.steps, self.processes.first)
        if self.step:
            log.say(f"resuming after step {self.step}")
        if not self.heldout:
            log.say(f"note: no held-out text of {self.training.tokens} tokens; the run is not evaluated on the way")
        deadline = time.monotonic() + stop_after_seconds
        previous = {name: signal.signal(name, self._interrupt) for name in (signal.SIGINT, signal.SIGTERM)}
        try:
            return self._loop(log, deadline)
        except torch.OutOfMemoryError:
            raise TrainingFailed(f"out of memory at step {self.step + 1}; {memory.ADVICE}; {self._kept()}") from None
        finally:
            log.close()
            for name, handler in previous.items():
                signal.signal(name, handler)

    def _loop(self, log: Log, deadline: float) -> int:
        while self.step < self.training.steps:
            started = time.monotonic()
            row = self._one_step()
            row |= {"step": self.step, "tokens": self._tokens_per_step(), "seconds": time.monotonic() - started}
            if self.step % self.training.evaluate_every == 0 or self.step == self.training.steps:
                row |= self._evaluate()
            log.step(row)
            stop = self.processes.any(self._stop)
            late = self.processes.any(time.monotonic() > deadline)
            due = self.step % self.training.checkpoint_every == 0 or self.step == self.training.steps
            if due or stop or late:
                path = self._save()
            if (stop or late) and self.step < self.training.steps:
                reason = "interrupted" if stop else "the time is up"
                log.say(f"{reason} after step {self.step}; the same command resumes from {path}")
                return INTERRUPTED if stop else 0
        return 0

    def _one_step(self) -> dict[str, float]:
        """Gradients of all micro-batches, then one update. Raises before the update if the loss is not a number."""
        step, schedule = self.step, self.recipe.schedule
        threshold = schedule.threshold(step, self.training.seed)
        target = schedule.target(step, threshold)
        self.distiller.train()
        sums: dict[str, float] = {}
        for micro in range(self.training.accumulate):
            ids, weights = (t.to(self.device) for t in self.batches.batch(step, micro, self.processes.rank))
            with self._autocast():
                parts = self.distiller(ids, weights, self._state(ids, micro, threshold), target)
            (parts["loss"] / self.training.accumulate).backward()
            for key, value in parts.items():
                sums[key] = sums.get(key, 0.0) + value.item() / self.training.accumulate
        means = self.processes.mean(sums)
        norm = self._clip()
        if not math.isfinite(means["loss"] + norm):
            raise TrainingFailed(
                f"the loss is {means['loss']}, the gradient's norm {norm} at step {step + 1}; {self._kept()}"
            )
        optimizer.set_rates(self.optimizer, self.training, step)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.step = step + 1
        open_share = max(1.0 - means["closed"], 1e-6)
        targets = {"target_closed": target, "target_ratio": schedule.ratio(step, threshold), "threshold": threshold}
        return means | targets | {"ratio": 1.0 / open_share, "gradient_norm": norm}

    def _state(self, ids: torch.Tensor, micro: int, threshold: float) -> PassState:
        schedule, config = self.recipe.schedule, self.config
        if schedule.zeroing(self.step):
            return PassState(Mode.ZEROING, channel_scale=schedule.channel_scale(self.step))
        heads = attention_blocks(self.distiller.student)[0].kv_heads
        shape = (config["num_hidden_layers"], ids.shape[0], heads, ids.shape[1])
        seed = seed_of(self.training.seed, "noise", self.step, micro, self.processes.rank)
        noise = logistic_noise(shape, seed, self.device)
        return PassState(Mode.RELAXED, noise=noise, tau=self.recipe.gates.tau, threshold=threshold)

    def _clip(self) -> float:
        norm = nn.utils.clip_grad_norm_(list(self.trained.values()), self.training.clip)
        return whole(norm).item()

    def _check_fit(self, files: CheckpointFiles, tokens: Tokens) -> None:
        longest = files.config.get("max_position_embeddings")
        if isinstance(longest, int) and self.training.tokens > longest:
            raise BadInput(f"training.tokens is {self.training.tokens}, the model has {longest} positions")
        if tokens.vocabulary > files.config["vocab_size"]:
            raise BadInput(
                f"{files.folder}: the tokenizer has {tokens.vocabulary} tokens, the model {files.config['vocab_size']}"
            )

    def _build(self, files: CheckpointFiles) -> None:
        full = self.training.mode == "full"
        weights = torch.bfloat16 if self.training.weights == "bfloat16" and not full else torch.float32
        student = load_plain(files.folder, self.recipe.gates.gate_form(), weights, self.training.kernel)
        generator = torch.Generator().manual_seed(seed_of(self.training.seed, "low-rank") % 2**63)
        if not full:
            for block in attention_blocks(student):
                block.add_updates(self.training.rank, generator)
        teacher = transformers_model(files, torch.bfloat16).to(self.device) if full else None
        if self.training.gradient_checkpointing:
            checkpoint_layers(student)
        loss, recompute = self.recipe.loss, self.training.gradient_checkpointing
        self.distiller = Distiller(student, teacher, loss.direction, loss.pressure, recompute)
        self.trained = optimizer.choose_trained(student, self.training.mode)
        self.distiller.to(self.device)
        self.processes.shard(self.distiller)
        self.trained = optimizer.choose_trained(self.distiller.student, self.training.mode)
        self.optimizer = optimizer.build_optimizer(self.trained, self.training)

    def _start_from(self, path: Path) -> None:
        """Gates and updates of an earlier run; the window may differ, the form may not."""
        started, form = read_compact(path)
        wanted = self.recipe.gates.gate_form()
        if dataclasses.replace(form, window=wanted.window) != wanted:
            per = "layer" if form.per_layer else "head"
            raise BadInput(
                f"{path}: gates with scale {form.scale:g}, offset {form.offset:g}, per {per}; the recipe has others"
            )
        for name, parameter in self.trained.items():
            found = started.get(name)
            if found is None or found.shape != parameter.shape:
                size = "no" if found is None else f"{list(found.shape)} of"
                raise BadInput(f"{path}: {size} {name}, expected {list(parameter.shape)}")
            put(parameter, found.float())

    def _restore(self, resumed: snapshot.Snapshot) -> int:
        for name, parameter in self.trained.items():
            put(parameter, resumed.trained[name])
        optimizer.restore_optimizer(self.optimizer, self.trained, resumed.optimizer)
        return resumed.step

    def _save(self) -> Path:
        trained = {name: whole(parameter) for name, parameter in self.trained.items()}
        state = optimizer.optimizer_state(self.optimizer, self.trained)
        path = self.folder / f"step-{self.step:06d}"
        if self.processes.first:
            taken = snapshot.Snapshot(self.step, self.recipe.fingerprint(), trained, state)
            snapshot.write_snapshot(self.folder, taken, self.training.keep_checkpoints)
        return path

    def _evaluate(self) -> dict[str, float]:
        if self.recipe.schedule.zeroing(self.step) or not self.heldout:
            return {}
        student, teacher = self.distiller.student, self.distiller.teacher
        with self.processes.gathered(self.distiller):
            return heldout(student, teacher, self.heldout, self.device, self._autocast)

    def _heldout_texts(self, prepared: Prepared) -> list[torch.Tensor]:
        """Empty where too little text is held out: a single document, say, is on one side of the split."""
        if not prepared.has("text.heldout", self.training.tokens):
            return []
        part = prepared.part("text.heldout", self.training.tokens)
        return [text_sequence(part, self.training.tokens, number) for number in range(self.training.evaluate_sequences)]

    def _autocast(self):
        on = self.training.compute == "bfloat16"
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=on)

    def _tokens_per_step(self) -> int:
        return self.training.tokens * self.training.batch * self.training.accumulate * self.processes.count

    def _interrupt(self, *_) -> None:
        if self._stop:  # the second time at once
            raise KeyboardInterrupt
        self._stop = True

    def _kept(self) -> str:
        found = snapshot.snapshots(self.folder)
        return f"{found[-1]} is intact, and the same command resumes from it" if found else "no checkpoint was written"
