"""Who the user is: logins, tokens, and what of them reaches a request.

``globus_sdk`` does the work; this package decides which app it is, when it logs in, and what its
failures mean. Nothing is sent, nobody is prompted and no file is made before the first request
or an explicit login.

- :mod:`~gcompute.login.session`: the login of one client, from many threads.
- :mod:`~gcompute.login.apps`: the app that the environment asks for, and where it keeps tokens.
- :mod:`~gcompute.login.terminal`: whether somebody can be asked.
- :mod:`~gcompute.login.prompt`: asking.
- :mod:`~gcompute.login.requirements`: what a refused request demands of the next login.
- :mod:`~gcompute.login.failures`: failures of ``globus_sdk`` as errors of ours.
"""

from __future__ import annotations

from gcompute.login.apps import app_authorizer, default_app, require_scope
from gcompute.login.failures import login_errors
from gcompute.login.session import Authorization, Authorizer, Login
from gcompute.login.terminal import can_prompt

__all__ = [
    "Authorization",
    "Authorizer",
    "Login",
    "app_authorizer",
    "can_prompt",
    "default_app",
    "login_errors",
    "require_scope",
]
