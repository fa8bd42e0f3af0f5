"""Plain values take the short way, and mean the same."""

from __future__ import annotations

import collections
import datetime
import subprocess
import sys
from typing import Any

import dill
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gcompute.serialize import pickling

_scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=()))
    | st.binary()
)
_plain = st.recursive(
    _scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.dictionaries(_scalars, inner, max_size=4)
        | st.frozensets(_scalars, max_size=3)
        | st.sets(_scalars, max_size=3)
    ),
    max_leaves=12,
)


class Text(str):
    """A subclass of a plain type."""


@given(_plain)
def test_plain_values_are_read_by_dill(value: Any) -> None:
    """What the short way writes, the official package's dill loads, and the other way round."""
    loaded = dill.loads(pickling.dumps(value))
    assert (loaded, type(loaded)) == (value, type(value))
    assert pickling.loads(dill.dumps(value)) == value


@pytest.mark.parametrize(
    "value",
    [
        1 + 2j,
        bytearray(b"a"),
        datetime.date(2024, 1, 1),
        collections.OrderedDict(a=1),
        Text("a"),
        [1, {"a": (Text("b"),)}],
        {Text("a"): 1},
        ValueError("x"),
    ],
)
def test_all_else_is_written_by_dill(value: Any) -> None:
    """Also where it hides in plain containers."""
    data = pickling.dumps(value)
    assert data == dill.dumps(value)
    loaded = pickling.loads(data)
    assert repr(loaded) == repr(value)
    assert type(loaded) is type(value)


def test_shared_and_recursive_values_stay_so() -> None:
    """Identity survives the short way."""
    inner: list[Any] = []
    inner.append(inner)
    first, second = pickling.loads(pickling.dumps([inner, inner]))
    assert first is second
    assert first[0] is first


def test_plain_values_need_no_dill() -> None:
    """A client that sends and gets plain data never loads it."""
    code = (
        "import sys; from gcompute.serialize import ComputeSerializer as C;"
        "assert C().deserialize(C().serialize([1, 'a'])) == [1, 'a'];"
        "sys.exit('dill' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


class _Unwilling:
    def __reduce__(self) -> tuple[Any, ...]:
        raise ValueError("not me")


def _broken() -> None:
    raise ValueError("nor me")


class _Breaks:
    def __reduce__(self) -> tuple[Any, ...]:
        return _broken, ()


def test_errors_tell_nothing_of_the_first_attempt() -> None:
    """Users read them, with all that they say to have happened before."""
    with pytest.raises(ValueError, match="not me") as caught:
        pickling.dumps(_Unwilling())
    assert caught.value.__context__ is None
    text = pickling.dumps(_Breaks())
    with pytest.raises(ValueError, match="nor me") as caught:
        pickling.loads(text)
    assert caught.value.__context__ is None
