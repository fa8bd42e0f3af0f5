"""Patches of the generator's templates apply entirely, or stop the run."""

from importlib.resources import files

import pytest

from tools.codegen.errors import CodegenError
from tools.codegen.patches import PATCHES, apply_patches


@pytest.mark.parametrize("template", sorted({patch.template for patch in PATCHES}))
def test_patches_fit_the_pinned_generator(template: str) -> None:
    """Each passage is there once in the template, and its replacement is there afterwards."""
    text = (files("openapi_python_client") / "templates" / template).read_text("utf-8")
    patched = apply_patches(template, text)
    for patch in PATCHES:
        if patch.template == template:
            assert patch.new in patched
    assert patched != text


def test_passage_that_is_not_there_stops_the_run() -> None:
    """A generator of another version is not patched by half."""
    with pytest.raises(CodegenError, match=r"expects 1 of this passage and found 0"):
        apply_patches("types.py.jinja", "class Missing:\n")


def test_other_templates_stay_as_they_are() -> None:
    """A template without patches is handed back."""
    assert apply_patches("model.py.jinja", "text") == "text"


def test_every_patch_says_why() -> None:
    """A patch is a deviation, and a deviation has a reason."""
    assert all(patch.why for patch in PATCHES)
