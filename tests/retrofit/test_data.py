"""Documents, tasks and batches: what is trained on is what was asked for, the same every time."""

import gzip
import json
import random

import numpy as np
import pytest
import tiny

from retrofit.data import tasks
from retrofit.data.batches import Batches
from retrofit.data.documents import Document, read_documents
from retrofit.data.excerpts import write_excerpts
from retrofit.data.packages import package_documents, package_names
from retrofit.data.prepared import Prepared, prepare
from retrofit.data.task_tokens import TaskWriter
from retrofit.data.tokens import Tokens
from retrofit.errors import BadInput


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("inputs")
    model = tiny.write_model(folder / "model")
    return model, tiny.write_data(folder / "data", model)


@pytest.fixture(scope="module")
def tokens(inputs):
    return Tokens(inputs[0])


def test_jsonl_holds_texts_and_chats(tmp_path, tokens):
    chat = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]
    lines = [json.dumps({"text": "a b"}), "", json.dumps({"messages": chat})]
    (tmp_path / "d.jsonl").write_text("\n".join(lines))
    documents = list(read_documents([tmp_path]))
    assert [document.text for document in documents] == ["a b", ""]
    rendered = tokens.decode(tokens.of_document(documents[1]))
    assert rendered == "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nHello<|im_end|>\n"


@pytest.mark.parametrize(
    "content, message",
    [('{"text": 3}', r"d.jsonl:1: expected"), ("\n{", r"d.jsonl:2: not JSON"), ('{"messages": [1]}', "expected")],
)
def test_a_line_that_is_no_document_is_named(tmp_path, content, message):
    (tmp_path / "d.jsonl").write_text(content)
    with pytest.raises(BadInput, match=message):
        list(read_documents([tmp_path / "d.jsonl"]))


def test_missing_text_is_named(tmp_path):
    with pytest.raises(BadInput, match="nothing.txt: No such file"):
        list(read_documents([tmp_path / "nothing.txt"]))
    with pytest.raises(BadInput, match="no .txt, .md, .rst or .jsonl file below it"):
        list(read_documents([tmp_path]))


def test_a_document_is_on_one_side_of_the_split_wherever_it_comes_from():
    texts = [f"document {number}" for number in range(2000)]
    sides = [Document("a", text).held_out(0.1, 1) for text in texts]
    assert sides == [Document("b", text).held_out(0.1, 1) for text in texts]
    assert 150 < sum(sides) < 250
    assert sides != [Document("a", text).held_out(0.1, 2) for text in texts]


def test_documents_are_packed_with_separators_and_split_by_document(inputs, tokens):
    prepared = Prepared(inputs[1], tokens)
    parts = prepared.description["parts"]
    train, heldout = (prepared.part(f"text.{side}", 48) for side in ("train", "heldout"))
    assert parts["text.train"]["documents"] + parts["text.heldout"]["documents"] == 60
    assert (train == tokens.separator).sum() == parts["text.train"]["documents"]
    first = tokens.decode(train[: np.flatnonzero(train == tokens.separator)[0]].tolist())
    assert first.endswith(".") and first in json.dumps(
        [json.loads(line)["text"] for line in (inputs[1].parent / "text.jsonl").read_text().splitlines()]
    )
    assert first not in tokens.decode(heldout.tolist())


def test_excerpts_are_beginnings_of_held_out_documents(inputs, tokens, tmp_path):
    prepared = Prepared(inputs[1], tokens)
    separator = tokens.decode([tokens.separator])
    documents = tokens.decode(prepared.part("text.heldout", 0).tolist()).split(separator)[:-1]
    out = tmp_path / "held-out.txt"
    assert write_excerpts(prepared, tokens, out, 20, 8, 1) == 20
    excerpts = out.read_text().rstrip("\n").split("\n\n")
    assert [len(tokens.encode(excerpt)) for excerpt in excerpts] == [8, 8, 4]
    assert all(any(document.startswith(excerpt) for document in documents) for excerpt in excerpts)
    write_excerpts(prepared, tokens, out, 10**9, 10**9, 2)
    assert sorted(out.read_text().rstrip("\n").split("\n\n")) == sorted(documents)


def test_excerpts_need_text_that_is_held_out(tokens, tmp_path):
    folder = tmp_path / "data"
    prepare(folder, tokens, {"text": [Document("d", "some words " * 20)]}, 1e-9, 1, 1000)
    with pytest.raises(BadInput, match="no text is held out"):
        write_excerpts(Prepared(folder, tokens), tokens, tmp_path / "held-out.txt", 10, 10, 1)
    assert not (tmp_path / "held-out.txt").exists()


def test_a_prepared_folder_must_fit_the_model_and_be_whole(inputs, tokens, tmp_path):
    with pytest.raises(BadInput, match="no data.json in it"):
        Prepared(tmp_path, tokens)
    folder = tmp_path / "data"
    prepare(folder, tokens, {"text": [Document("d", "some words " * 20)]}, 1e-9, 1, 1000)
    with pytest.raises(BadInput, match="text.train has 221 tokens, a sequence needs more than 4096"):
        Prepared(folder, tokens).part("text.train", 4096)
    with pytest.raises(BadInput, match="answers.train has 0 tokens"):
        Prepared(folder, tokens).part("answers.train", 8)
    (folder / "text.train.bin").write_bytes(b"12345")
    with pytest.raises(BadInput, match="text.train.bin: 5 bytes, data.json says"):
        Prepared(folder, tokens)
    description = json.loads((folder / "data.json").read_text()) | {"tokenizer": "other"}
    (folder / "data.json").write_text(json.dumps(description))
    with pytest.raises(BadInput, match="prepared with another tokenizer"):
        Prepared(folder, tokens)


def test_no_text_at_all_is_refused_and_leaves_nothing(tokens, tmp_path):
    with pytest.raises(BadInput, match="no text to train on"):
        prepare(tmp_path / "data", tokens, {"text": []}, 0.1, 1, 1000)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("maker", [tasks.passkeys, tasks.needles, tasks.registry, tasks.variables])
def test_every_hidden_answer_is_in_a_fact(maker):
    for seed in range(50):
        task = maker(random.Random(seed))
        facts = " ".join(task.facts)
        for _, answer in task.turns:
            last = answer.rstrip(".").split()[-1]
            assert last in facts, (answer, facts)


def test_arithmetic_is_right():
    for seed in range(100):
        for question, answer in tasks.arithmetic(random.Random(seed)).turns:
            for equation in answer.rstrip(".").replace(", and ", ",").replace(", so", ",").split(","):
                left, equals, right = equation.partition("=")
                if equals:
                    assert eval(left) == int(right), (question, answer)  # noqa: S307 - our own digits


def test_a_task_hides_facts_in_text_and_marks_its_answers(tokens):
    text = np.array(tokens.encode("The river runs. " * 300))
    task = tasks.Task("Remember.\n", ["The key is 42."], [("Which key?", "It is 42."), ("Sure?", "Yes.")])
    ids, marks = TaskWriter(tokens, text).task(random.Random(1), task, 800)
    assert len(ids) == len(marks) == 800
    words = tokens.decode(ids)
    assert words.startswith("<|im_start|>user\nRemember.\n") and "runs. " in words
    assert "\nThe key is 42.\n" in words
    assert words.endswith(
        "Which key?<|im_end|>\n<|im_start|>assistant\nIt is 42.<|im_end|>\n"
        "<|im_start|>user\nSure?<|im_end|>\n<|im_start|>assistant\nYes.<|im_end|>\n"
    )
    assert tokens.decode([token for token, mark in zip(ids, marks) if mark]) == "It is 42.Yes."


def test_a_share_of_the_tasks_hides_its_facts_in_sentences_that_repeat(tokens):
    text = np.array(tokens.encode("The river runs. " * 300))
    task = tasks.Task("Remember.\n", ["The key is 42."], [("Which key?", "It is 42.")])

    def written(repeated, seed):
        ids, _ = TaskWriter(tokens, text, repeated).task(random.Random(seed), task, 800)
        return tokens.decode(ids)

    assert all("The river runs." in written(0.0, seed) for seed in range(20))
    for seed in range(20):
        context = written(1.0, seed)
        assert "The river runs." not in context and context.count("The key is 42.") == 1
        sentence = context.split("Remember.\n")[1].strip().split(".")[1]
        assert context.count(sentence) > 2, context
    prose = sum("The river runs." in written(0.5, seed) for seed in range(40))
    assert 8 < prose < 32


def test_depths_cover_the_whole_context(tokens):
    text = np.array(tokens.encode("The river runs. " * 300))
    writer = TaskWriter(tokens, text)
    task = tasks.Task("", ["FACT"], [("Q", "A")])
    depths = [tokens.decode(writer.task(random.Random(seed), task, 600)[0]).index("FACT") for seed in range(60)]
    assert min(depths) < 120 and max(depths) > 480


def test_batches_depend_on_seed_step_and_place_alone(inputs, tokens):
    prepared = Prepared(inputs[1], tokens)
    recipe = tiny.recipe(*inputs, loss={"answer_weight": 7.0})
    ids, weights = Batches(recipe, prepared, tokens).batch(3, 1, 0)
    again, _ = Batches(recipe, prepared, tokens).batch(3, 1, 0)
    assert ids.shape == weights.shape == (2, 48) and ids.equal(again)
    others = [(4, 1, 0), (3, 0, 0), (3, 1, 1)]
    assert not any(ids.equal(Batches(recipe, prepared, tokens).batch(*place)[0]) for place in others)
    reseeded = tiny.recipe(*inputs, training={"seed": 2})
    assert not ids.equal(Batches(reseeded, prepared, tokens).batch(3, 1, 0)[0])


def test_the_weight_lies_on_the_predictions_of_an_answer(inputs, tokens):
    recipe = tiny.recipe(*inputs, loss={"answer_weight": 7.0}, data={"text": 0.0, "tasks": 1.0})
    batches = Batches(recipe, Prepared(inputs[1], tokens), tokens)
    found = False
    for step in range(200):
        ids, weights = batches.batch(step, 0, 0)
        for row, weight in zip(ids, weights):
            weighty = [row[place + 1].item() for place in range(47) if weight[place] == 7.0]
            found |= bool(weighty)
            assert weight[47] == 1.0 and set(weight.tolist()) <= {1.0, 7.0}
    assert found


def test_packages_give_their_english_prose(tmp_path):
    folder = tmp_path / "some-doc" / "usr/share/doc/some-doc"
    folder.mkdir(parents=True)
    prose = "It is in the nature of a manual that the reader of it wants to get to the end. "
    page = (
        f"<html><head><title>no</title><script>no()</script></head><body><p>{prose * 30}</p><p>Last.</p></body></html>"
    )
    (folder / "page.html").write_text(page)
    (folder / "again.html").write_text(page)
    (folder / "guide.txt.gz").write_bytes(gzip.compress((prose * 40).encode()))
    (folder / "fremd.txt").write_text("Das ist ein Satz, den hier niemand haben will. " * 60)
    (folder / "short.txt").write_text("the of and to")
    (folder / "copyright.txt").write_text(prose * 40)
    documents = list(package_documents(["some-doc"], tmp_path))
    assert sorted(document.source for document in documents) == ["some-doc/again.html", "some-doc/guide.txt.gz"]
    page_text = next(document.text for document in documents if "html" in document.source)
    assert page_text.startswith("It is in") and page_text.endswith("\n\nLast.") and "no" not in page_text.split()


def test_the_shipped_list_of_packages_is_readable():
    names = package_names()
    assert "debian-handbook" in names and len(names) == len(set(names))
    assert all(name == name.strip().lower() and " " not in name for name in names)
