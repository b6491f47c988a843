"""The command line: `python -m retrofit COMMAND --help`."""

import argparse
import dataclasses
import json
import sys
from pathlib import Path

from retrofit.errors import BadInput, TrainingFailed

ABOUT = """Turns a plain Llama, Qwen2 or Qwen3 checkpoint into one with learned KV-cache eviction (DMS).

  python -m retrofit data   --model DIR --packages --out DATA      text as token ids
  python -m retrofit train  --config RECIPE --data DATA --out RUN  trains; the same command resumes
  python -m retrofit export --run RUN --out DIR                    the DMS checkpoint, for dmscope and others
  python -m retrofit export --run RUN --compact FILE               gates and low-rank updates alone, a few MB

Several GPUs: torchrun --nproc-per-node N -m retrofit train ...
Exit status: 0 done, 1 the work failed, 2 bad usage or bad input, 130 interrupted; stderr begins with the reason.
"""


def main(arguments: list[str]) -> int:
    options = _parser().parse_args(arguments)
    try:
        return options.run(options) or 0
    except BadInput as error:
        return _fail(2, str(error))
    except TrainingFailed as error:
        return _fail(1, str(error))
    except OSError as error:
        return _fail(1, f"{error.filename or 'a file'}: {error.strerror or error}")
    except KeyboardInterrupt:
        return _fail(130, "interrupted")


def _fail(status: int, reason: str) -> int:
    print(f"error: {reason}", file=sys.stderr)
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m retrofit", description=ABOUT, formatter_class=_Raw)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_data(commands)
    _add_excerpts(commands)
    _add_sample(commands)
    _add_train(commands)
    _add_check(commands)
    _add_export(commands)
    _add_merge(commands)
    return parser


class _Raw(argparse.RawDescriptionHelpFormatter):
    pass


def _command(commands, name: str, text: str, run) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=text, description=text)
    command.set_defaults(run=run)
    return command


def _add_data(commands) -> None:
    command = _command(commands, "data", "Prepares text for training: tokenised, split by document.", _data)
    command.add_argument("--model", required=True, help="checkpoint whose tokenizer is used")
    command.add_argument("--out", type=Path, required=True, help="folder to write")
    command.add_argument("--text", type=Path, nargs="+", default=[], help=".txt, .md, .rst, .jsonl files, or folders")
    command.add_argument(
        "--packages",
        nargs="?",
        const="",
        metavar="LIST",
        help="text of Debian packages, fetched with apt: those of the file LIST, or the shipped list",
    )
    command.add_argument(
        "--reuse", type=Path, metavar="DATA", help="take the text of an earlier folder, and add --answers"
    )
    command.add_argument("--answers", type=Path, nargs="+", default=[], help="JSONL that `sample` wrote")
    command.add_argument("--cache", type=Path, default=Path("build/retrofit/packages"), help="unpacked packages")
    command.add_argument("--heldout", type=float, default=0.03, help="share of the documents kept from training (0.03)")
    command.add_argument("--limit", type=int, default=30_000_000, help="most training tokens (30000000)")
    command.add_argument(
        "--per-source", type=int, default=1_500_000, help="about the most of one file or package (1500000)"
    )
    command.add_argument("--seed", type=int, default=1)


def _data(options) -> None:
    from retrofit.data.documents import read_documents
    from retrofit.data.packages import LIST, package_documents, package_names
    from retrofit.data.prepared import prepare
    from retrofit.data.tokens import Tokens
    from retrofit.models import model_folder

    if not 0 < options.heldout < 1:
        raise BadInput(f"--heldout {options.heldout}: expected a share between 0 and 1")

    def texts():
        yield from read_documents(options.text)
        if options.packages is not None:
            names = package_names(Path(options.packages) if options.packages else LIST)
            yield from package_documents(names, options.cache)

    if options.reuse and (options.text or options.packages is not None):
        raise BadInput("--reuse takes the text of an earlier folder; give it without --text and --packages")
    sources = ({} if options.reuse else {"text": texts()}) | (
        {"answers": read_documents(options.answers)} if options.answers else {}
    )
    tokens = Tokens(model_folder(options.model))
    limits = options.limit, options.per_source
    description = prepare(options.out, tokens, sources, options.heldout, options.seed, *limits, options.reuse)
    for name, part in description["parts"].items():
        print(f"{name}: {part['documents']} documents, {part['tokens'] / 1e6:.2f} M tokens")


def _add_excerpts(commands) -> None:
    command = _command(commands, "excerpts", "Writes held-out text as a file, for `dmscope eval --text`.", _excerpts)
    command.add_argument("--model", required=True, help="checkpoint whose tokenizer the data was prepared with")
    command.add_argument("--data", type=Path, required=True, help="prepared folder")
    command.add_argument("--out", type=Path, required=True, help="text file to write")
    command.add_argument("--tokens", type=int, default=65_536, help="about how much (65536)")
    command.add_argument("--per-document", type=int, default=4096, help="tokens of one document at most (4096)")
    command.add_argument("--seed", type=int, default=1)


def _excerpts(options) -> None:
    from retrofit.data.excerpts import write_excerpts
    from retrofit.data.prepared import Prepared
    from retrofit.data.tokens import Tokens
    from retrofit.models import model_folder

    for name in ("tokens", "per_document"):
        if getattr(options, name) < 1:
            raise BadInput(f"--{name.replace('_', '-')} {getattr(options, name)}: expected 1 or more")
    tokens = Tokens(model_folder(options.model))
    limits = options.tokens, options.per_document, options.seed
    written = write_excerpts(Prepared(options.data, tokens), tokens, options.out, *limits)
    print(f"{options.out}: {written} tokens of held-out text")


def _add_sample(commands) -> None:
    command = _command(commands, "sample", "Samples answers from the model, to train on.", _sample)
    command.add_argument("--model", required=True, help="plain checkpoint")
    command.add_argument("--out", type=Path, required=True, help="JSONL file to write")
    command.add_argument("--count", type=int, default=2000, help="conversations (2000)")
    command.add_argument("--longest", type=int, default=700, help="tokens of an answer at most (700)")
    command.add_argument("--batch", type=int, default=32, help="answers written at a time (32)")
    command.add_argument("--prompts", type=Path, help="text or JSONL of prompts instead of those made by code")
    command.add_argument("--seed", type=int, default=1)


def _sample(options) -> None:
    from retrofit.data.sample import sample
    from retrofit.models import model_folder

    for name in ("count", "longest", "batch"):
        if getattr(options, name) < 1:
            raise BadInput(f"--{name} {getattr(options, name)}: expected 1 or more")
    folder = model_folder(options.model)
    sample(folder, options.out, options.count, options.seed, options.longest, options.batch, options.prompts)


def _add_train(commands) -> None:
    command = _command(
        commands, "train", "Trains gates by distillation; resumes from the newest checkpoint in RUN.", _train
    )
    command.add_argument("--config", type=Path, required=True, help="recipe, see retrofit/recipes")
    command.add_argument("--out", type=Path, required=True, metavar="RUN", help="folder of checkpoints and log")
    command.add_argument("--model", help="checkpoint, instead of the recipe's")
    command.add_argument("--start", metavar="FILE", help="compact gates to go on from, instead of the recipe's")
    command.add_argument("--data", help="prepared folder, instead of the recipe's")
    command.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="changes the recipe, e.g. training.steps=500; repeatable",
    )
    command.add_argument(
        "--stop-after", type=float, metavar="SECONDS", help="write a checkpoint and stop after this time, to be resumed"
    )


def _train(options) -> int:
    from retrofit.models import model_folder
    from retrofit.training.processes import Processes
    from retrofit.training.recipe import read_recipe
    from retrofit.training.run import Run

    started = [f"start={json.dumps(options.start)}"] if options.start else []
    recipe = read_recipe(options.config, options.set + started)
    recipe = dataclasses.replace(recipe, model=str(model_folder(options.model or recipe.model)))
    if options.data:
        recipe = dataclasses.replace(recipe, data=dataclasses.replace(recipe.data, folder=options.data))
    if not recipe.data.folder:
        raise BadInput("no data is given: set data.folder in the recipe, or --data DIR")
    with Processes(recipe.training.device) as processes:
        run = Run(recipe, options.out, processes)
        options.out.mkdir(parents=True, exist_ok=True)
        if processes.first:
            text = json.dumps(dataclasses.asdict(recipe), indent=2)
            (options.out / "recipe.json").write_text(text + "\n", encoding="utf-8")
        return run.train(float("inf") if options.stop_after is None else options.stop_after)


def _add_check(commands) -> None:
    text = "Perplexity, KL and realised ratio of a DMS checkpoint on held-out text; CSV on stdout."
    command = _command(commands, "check", text, _check)
    command.add_argument("--model", required=True, help="DMS checkpoint")
    command.add_argument("--plain", required=True, help="the checkpoint it was made from")
    command.add_argument("--data", type=Path, required=True, help="prepared folder")
    command.add_argument("--tokens", type=int, default=1024, help="length of a sequence (1024)")
    command.add_argument("--sequences", type=int, default=8, help="how many (8)")
    command.add_argument("--threshold", type=float, nargs="+", default=[0.0], help="in logit units (0)")


def _check(options) -> None:
    from retrofit.models import model_folder
    from retrofit.training.check import check

    if options.tokens < 2 or options.sequences < 1:
        raise BadInput("--tokens must be 2 or more, --sequences 1 or more")
    folders = model_folder(options.model), model_folder(options.plain), options.data
    rows = check(*folders, options.tokens, options.sequences, options.threshold)
    for number, row in enumerate(rows):
        if number == 0:
            print(",".join(row))
        print(",".join(f"{value:g}" for value in row.values()), flush=True)


def _add_export(commands) -> None:
    command = _command(commands, "export", "Writes the DMS checkpoint of a run, or its compact form.", _export)
    command.add_argument(
        "--run", dest="folder", type=Path, required=True, metavar="RUN", help="folder that `train` wrote"
    )
    command.add_argument("--out", type=Path, help="folder of the DMS checkpoint to write")
    command.add_argument("--compact", type=Path, help="safetensors file to write: gates and low-rank updates alone")
    command.add_argument("--base-model", default="", help="name of the original model for the compact form's metadata")


def _export(options) -> None:
    from retrofit.output.from_run import export_run

    if options.out is None and options.compact is None:
        raise BadInput("nothing to write: give --out DIR, --compact FILE, or both")
    export_run(options.folder, options.out, options.compact, options.base_model)


def _add_merge(commands) -> None:
    command = _command(commands, "merge", "Merges the compact form into a plain checkpoint.", _merge)
    command.add_argument("--model", required=True, help="plain checkpoint")
    command.add_argument("--compact", type=Path, required=True, help="file that `export --compact` wrote")
    command.add_argument("--out", type=Path, required=True, help="folder of the DMS checkpoint to write")


def _merge(options) -> None:
    from retrofit.models import model_folder
    from retrofit.output.compact import read_compact
    from retrofit.output.export import export

    export(model_folder(options.model), *read_compact(options.compact), options.out)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
