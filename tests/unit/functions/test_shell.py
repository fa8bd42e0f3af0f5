"""Shell functions as users define and call them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gcompute import MPIFunction, ShellFunction, ShellResult
from gcompute.functions.quoting import quoted_template
from gcompute.serialize import ComputeSerializer


def _run(function: ShellFunction, **values: Any) -> ShellResult:
    result = function(**values)
    assert isinstance(result, ShellResult)
    return result


def test_values_are_filled_in_as_format_does() -> None:
    """With specifications, and unquoted unless asked for."""
    result = _run(ShellFunction("echo {n:03d} {x}"), n=7, x="a; echo b")
    assert (result.cmd, result.stdout) == ("echo 007 a; echo b", "007 a\nb\n")


def test_braces_of_a_literal_command_are_its_own() -> None:
    """Values are not looked at."""
    function = ShellFunction(
        "printf 'a b\n' | awk '{print $2}'; echo ${HOME:+set} {x}", literal=True
    )
    assert _run(function).stdout == "b\nset {x}\n"
    assert _run(function, x=1).stdout == "b\nset {x}\n"


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
@settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_a_quoted_value_is_one_word_whatever_is_in_it(value: str) -> None:
    """The shell gives back exactly what was passed."""
    result = _run(ShellFunction("printf %s {x} | od -An -v -tx1", quote=True), x=value)
    assert bytes.fromhex(result.stdout) == value.encode()


@pytest.mark.parametrize(
    ("template", "values", "command"),
    [
        ("cat {x}", {"x": "a b"}, "cat 'a b'"),
        ("cat {x}", {"x": "plain"}, "cat plain"),
        ("cat {x}", {"x": ""}, "cat ''"),
        ("cat {x}", {"x": ["a b", 1]}, "cat 'a b' 1"),
        ("cat {x}", {"x": ()}, "cat "),
        ("head -n {n:d} {x!s}", {"n": 3, "x": "it's"}, "head -n 3 'it'\"'\"'s'"),
        ("echo {x:>4}", {"x": 1}, "echo '   1'"),
        ("echo {x[0]} {{y}}", {"x": ["$a"]}, "echo '$a' {y}"),
    ],
)
def test_quoting_comes_after_the_specification(
    template: str, values: dict[str, Any], command: str
) -> None:
    """Each item of a list is one word."""
    assert quoted_template(template).format(**values) == command


def test_an_mpi_function_is_started_by_the_launcher(monkeypatch: pytest.MonkeyPatch) -> None:
    """The launcher and its options stand before the command."""
    monkeypatch.setenv("PARSL_MPI_PREFIX", "echo mpiexec -n 2")
    result = _run(MPIFunction("lammps -in {x}", quote=True), x="a b")
    assert result.stdout == "mpiexec -n 2 lammps -in a b\n"
    assert result.cmd == "$PARSL_MPI_PREFIX lammps -in 'a b'"


def test_a_dict_comes_back_on_request() -> None:
    """JSON can say it, so that results need no pickle."""
    result = ShellFunction("echo {x}", return_dict=True)(x=1)
    assert isinstance(result, dict)
    assert sorted(result) == ["cmd", "exception_name", "returncode", "stderr", "stdout"]
    assert ComputeSerializer(strategy_data="gcompute.serialize.JSONData").serialize(result)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"walltime": -1}, ValueError, "walltime must not be negative, but is -1"),
        ({"name": "not a name"}, ValueError, "'not a name'"),
        ({"name": "class"}, ValueError, "'class'"),
        ({"name": 7}, TypeError, "name must be text, not 7"),
        ({"literal": True, "quote": True}, ValueError, "literal or quote"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(
    arguments: dict[str, Any], error: type[Exception], message: str
) -> None:
    """When the function is defined."""
    with pytest.raises(error, match=message):
        ShellFunction("echo", **arguments)


def test_the_name_is_what_it_is_registered_under() -> None:
    """The class's by default."""
    assert ShellFunction("a").__name__ == "ShellFunction"
    assert MPIFunction("a").__name__ == "MPIFunction"
    assert ShellFunction("a", name="listing").__name__ == "listing"


def test_additions_show_in_the_repr() -> None:
    """As they were given; the official settings look as they always did."""
    assert repr(ShellFunction("a {", literal=True)) == (
        "ShellFunction(literal=True, snippet_lines=1000, cmd='a {')"
    )
    assert repr(ShellFunction("a", quote=True)).startswith("ShellFunction(quote=True, ")
    assert repr(ShellFunction("a", walltime=0)) == (
        "ShellFunction(walltime=0, snippet_lines=1000, cmd='a')"
    )


class Upper(ShellFunction):
    """A user's variant with a way of its own to run."""

    def execute_cmd_line(self, cmd: str) -> ShellResult | dict[str, Any]:
        return super().execute_cmd_line(cmd.upper())


def test_a_variant_runs_in_its_own_way_at_the_endpoint() -> None:
    """What is sent along for the time limit does not take its place."""
    serializer = ComputeSerializer()
    function = Upper("printf {x}".replace("printf", "echo"), walltime=60)
    loaded = serializer.deserialize(serializer.serialize(function))
    assert "execute_cmd_line" not in loaded.__dict__
    assert type(loaded) is Upper


@pytest.mark.parametrize("quote", [False, True])
@pytest.mark.parametrize("walltime", [None, 60])
def test_a_sent_function_can_be_sent_again(quote: bool, walltime: float | None) -> None:
    """A worker may pass on what it was given."""
    serializer = ComputeSerializer()
    function: Any = ShellFunction("echo {x}", quote=quote, walltime=walltime)
    for _ in range(3):
        function = serializer.deserialize(serializer.serialize(function))
    assert function(x="a  b").stdout == ("a  b\n" if quote else "a b\n")
