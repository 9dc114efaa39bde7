"""The gallery of tasks, and one drawn example of any of them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ntmbench.answer import Bits, Reals, Symbols
from ntmbench.commands.documentation import documented
from ntmbench.commands.gallery import main
from ntmbench.data.text import as_text, as_words
from ntmbench.evaluation.description import answers_of, example_text, readable_length, sentence
from ntmbench.registry import make_task, task_class, task_names
from tests.conftest import Ended

Looked = Callable[..., Ended]


@pytest.fixture
def look(capsys: pytest.CaptureFixture[str]) -> Looked:
    def run(*arguments: str) -> Ended:
        code = main(arguments)
        return Ended(code, *capsys.readouterr())

    return run


def test_every_task_is_listed_with_its_sentence(look: Looked) -> None:
    ended = look()
    words = ended.out.replace("│", " ").split()
    assert (ended.code, ended.err) == (0, "")
    for name in task_names():
        assert name in words
        assert len(sentence(make_task(name))) > 20


def test_a_sentence_has_neither_source_nor_line_break() -> None:
    assert sentence(make_task("copy")) == "Reproduce L random bit vectors after a delimiter."


def test_answers_are_told_by_their_kind() -> None:
    told = [answers_of(answer) for answer in (Bits(1), Bits(8), Symbols(5), Reals(1, 0.1))]
    assert told == ["1 bit", "8 bits", "one of 5 symbols", "1 number within 0.1"]


def test_an_example_has_the_settings_and_the_length(look: Looked) -> None:
    ended = look("sorting", "task.bits=4", "length=5", "sequence=2")
    batch = make_task("sorting", bits=4).test_set(5, 3)
    assert (ended.code, ended.err) == (0, "")
    assert "test sequence 2 of 5 numbers: 11 steps, 20 bits asked for, 10 wrong by chance" in (
        ended.out
    )
    header, *steps = ended.out.splitlines()[-12:]
    assert header == "0 1 2 3 delimiter | targets"
    assert [step.split() for step in steps] == [
        step.split() for step in as_text(batch, 2).splitlines()
    ]
    assert {step.index("|") for step in steps} == {header.index("|")}


def test_settings_are_told_with_defaults_and_meanings(look: Looked) -> None:
    told = look("kinship", "task.names=30").out
    for setting in documented(task_class("kinship")).values():
        assert f"task.{setting.name}={setting.default} " in told
        assert setting.help
        assert " ".join(setting.help.split()) in " ".join(told.split())


def test_families_stand_in_their_order(look: Looked) -> None:
    words = look().out.replace("│", " ").split()
    places = [words.index(name) for name in ("copy", "key_value", "bucket_sort", "t_maze")]
    assert places == sorted(places)


@pytest.mark.parametrize(("answers", "told"), [(1, "1 symbol asked"), (3, "3 symbols asked")])
def test_answers_are_counted(look: Looked, answers: int, told: str) -> None:
    assert f", {told} for, " in look("delay", f"task.answers={answers}", "length=1").out


def test_symbols_are_words(look: Looked) -> None:
    task = make_task("key_value")
    assert look("key_value", "length=3").out.endswith(
        f"\n\n{as_words(task, task.test_set(3, 1))}\n"
    )


@pytest.mark.parametrize("name", task_names())
def test_every_task_has_a_readable_example(name: str) -> None:
    task = make_task(name)
    length = readable_length(task)
    assert len(example_text(task, task.test_set(length, 1))) > 10
    assert len(task.test_set(length, 1).inputs) <= 40 or length == task.shortest_length


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["sortin"], "task=sortin is not a choice. .* Did you mean 'sorting'?"),
        (["copy", "task.bitz=4"], "task copy has no setting 'bitz'. .* Did you mean 'bits'?"),
        (["copy", "bits=4"], "bits is not a setting here. .* Did you mean 'task.bits'?"),
        (["copy", "lenght=4"], "lenght is not a setting here. .* Did you mean 'length'?"),
        (["copy", "task.bits=many"], "task copy: bits='many' is of type str. Allowed: int."),
        (["copy", "task.bits=1,2"], "task.bits=1,2 has several values. Allowed: one"),
        (["copy", "length=0"], "length=0 is out of range. Allowed: from 1 to 100000."),
        (["copy", "length=two"], "length='two' is not a whole number."),
        (["copy", "sequence=-1"], "sequence=-1 is out of range."),
        (["copy", "long"], "long cannot be parsed"),
    ],
)
def test_wrong_words_end_in_one_line(look: Looked, arguments: list[str], line: str) -> None:
    ended = look(*arguments)
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    for part in line.split(" .* "):
        assert part in ended.err
