"""Corrections to the generator's own templates, as data with a reason each.

A patch replaces one passage of a template. The generator is pinned to one exact version, so the
passage is either there, as often as the patch says, or the pin was moved and the patch must be
looked at again: then generating stops with an error that names it. Two short templates, of which
nothing would be left after patching, are whole files in `templates/`.
"""

from dataclasses import dataclass

from tools.codegen.errors import CodegenError


@dataclass(frozen=True, kw_only=True)
class Patch:
    """One passage of a template, what takes its place, and why."""

    template: str
    old: str
    new: str
    why: str
    #: How often `old` occurs in the template; every occurrence is replaced.
    times: int = 1


PATCHES = (
    Patch(
        template="types.py.jinja",
        old="class Unset:\n",
        new=(
            'class Unset:\n    """The type of `UNSET`: a field that is not there, unlike one that'
            ' is null."""\n\n'
            '    def __reduce__(self) -> str:\n        return "UNSET"\n\n'
            '    def __repr__(self) -> str:\n        return "UNSET"\n\n'
        ),
        why=(
            "Generated code asks `is UNSET`, but a copied or unpickled UNSET was another object,"
            " which `to_dict` then put in the request. Reducing to the global's name makes copy,"
            " deepcopy and pickle give back the one object. The repr keeps models readable."
        ),
    ),
    Patch(
        template="types.py.jinja",
        old="    status_code: HTTPStatus\n",
        new="    status_code: int\n",
        why=(
            "Load balancers answer with statuses that HTTPStatus does not know (460, 561, 599);"
            " an answer must not turn into a ValueError for its number. HTTPStatus members still"
            " compare equal to it."
        ),
    ),
    Patch(
        template="endpoint_module.py.jinja",
        old="status_code=HTTPStatus(response.status_code),",
        new="status_code=response.status_code,",
        why="See status_code in types.py.jinja.",
    ),
    Patch(
        template="property_templates/list_property.py.jinja",
        old="{% else %}\n{{ property.python_name }} = cast(",
        new=(
            '{% elif property.get_type_string(no_optional=True) == PythonCode("list[Any]") %}\n'
            "{{ property.python_name }} = {{ source }}\n"
            "{% else %}\n{{ property.python_name }} = cast("
        ),
        why=(
            "`isinstance(data, list)` has made a `list[Any]` of it already where the list is one of"
            " several types, and mypy --strict refuses the cast to what a value is."
        ),
    ),
    Patch(
        template="endpoint_module.py.jinja",
        old="{% set return_string = endpoint.response_type() %}",
        new=(
            "{% set return_string = endpoint.response_type() %}\n"
            '{% if "[" not in return_string.as_unembedded_code() %}\n'
            '{% set return_string = PythonCode(return_string.as_unembedded_code().split(" | ")'
            ' | reject("equalto", "Any") | unique(case_sensitive=true) | join(" | ") or "Any") %}\n'
            "{% endif %}"
        ),
        why=(
            "An answer without a body counts as `Any`, which switches off the checks of whatever a"
            " caller does with the other answers; it is always None. A model that two answers"
            " share was named twice."
        ),
    ),
    Patch(
        template="endpoint_macros.py.jinja",
        old="{% macro parse_response(parsed_responses, response) %}\n{% if parsed_responses %}",
        new=(
            "{% macro parse_response(parsed_responses, response) %}\n"
            '{% if parsed_responses and response.source.attribute != "None" %}'
        ),
        why="An answer without a body is None, and no cast of it to `Any`, which mypy refuses.",
    ),
    Patch(
        template="errors.py.jinja",
        old="\n__all__",
        new=(
            "\n    def __reduce__(self) -> tuple[type[UnexpectedStatus], tuple[int, bytes]]:\n"
            "        return type(self), (self.status_code, self.content)\n\n__all__"
        ),
        why="An error that does not pickle breaks the pool of processes that it happened in.",
    ),
    Patch(
        template="errors.py.jinja",
        old="class UnexpectedStatus(",
        new="from __future__ import annotations\n\nclass UnexpectedStatus(",
        why="Its `__reduce__` names the class in its own body.",
    ),
    Patch(
        template="client.py.jinja",
        old="_timeout: httpx.Timeout | None = field(default=None,",
        new=(
            "_timeout: httpx.Timeout | None = field("
            "default=httpx.Timeout(60.0, connect=10.0, pool=None),"
        ),
        why=(
            "None is no timeout at all: a service that never answers held its caller for ever. Many"
            " calls at once may wait for a free connection for as long as they like."
        ),
    ),
    Patch(
        template="client.py.jinja",
        old=(
            "        ``timeout``: The maximum amount of a time a request can take. API functions"
            " will raise\n        httpx.TimeoutException if this is exceeded.\n"
        ),
        new=(
            "        ``timeout``: How long to wait for a connection, and for the next bytes; by"
            " default 10\n        and 60 seconds. API functions raise httpx.TimeoutException if it"
            " is exceeded. ``None`` waits for ever.\n"
        ),
        why="It is no limit for the whole of a request; and see `_timeout`.",
    ),
    Patch(
        template="endpoint_macros.py.jinja",
        old="httpx.TimeoutException: If the request takes longer than Client.timeout.",
        new=(
            "httpx.TimeoutException: If the service is silent for longer than Client.timeout.\n"
            "    httpx.HTTPError: If there is no answer, or none that is whole."
        ),
        why="What a caller has to expect of the network; and see `_timeout`.",
    ),
    *(
        Patch(
            template="client.py.jinja",
            old=f'field(factory=dict, kw_only=True, alias="{name}")',
            new=f'field(factory=dict, kw_only=True, alias="{name}", repr=False)',
            why="They may hold the token or a session: neither belongs in a log.",
        )
        for name in ("cookies", "headers")
    ),
    Patch(
        template="client.py.jinja",
        old='{{ declare_attr("token") | indent(4) }}',
        new="token: str = field(repr=False)",
        why="The token does not belong in a log, a traceback of pytest or a notebook.",
    ),
    Patch(
        template="client.py.jinja",
        old=(
            'self._headers[self.auth_header_name] = f\\"{self.prefix} {self.token}\\"'
            " if self.prefix else self.token"
        ),
        new=(
            "self._headers = {**self._headers, self.auth_header_name:"
            ' f\\"{self.prefix} {self.token}\\" if self.prefix else self.token}'
        ),
        why="The dictionary is the caller's, who may give it to other clients and services.",
    ),
    *(
        Patch(
            template="client.py.jinja",
            old=(
                f"        if self._client is not None:\n            {change.format('_client')}\n"
                f"        if self._async_client is not None:\n"
                f"            {change.format('_async_client')}\n"
            ),
            new="",
            why=(
                "`with_...` says that it returns a new client; it also changed the one it was"
                " called on, under the feet of every other thread that uses it."
            ),
        )
        for change in (
            "self.{}.headers.update(headers)",
            "self.{}.cookies.update(cookies)",
            "self.{}.timeout = timeout",
        )
    ),
)


def apply_patches(template: str, text: str) -> str:
    """Return a template's text with all its patches applied.

    Raises:
        CodegenError: A passage does not occur as often as its patch says.
    """
    for patch in PATCHES:
        if patch.template != template:
            continue
        found = text.count(patch.old)
        if found != patch.times:
            raise CodegenError(
                f"a patch of {template} expects {patch.times} of this passage and found {found}; "
                f"the generator changed, see tools/codegen/patches.py:\n{patch.old}"
            )
        text = text.replace(patch.old, patch.new)
    return text
