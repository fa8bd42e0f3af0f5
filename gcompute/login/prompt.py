"""Asking a person to log in, where one can be asked.

``globus_sdk`` prints an address and waits for a code on standard input. In a batch job, a
service or a pipeline nobody would ever type one, so it is found out first whether anybody can.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from globus_sdk.login_flows import CommandLineLoginFlowManager

from gcompute.errors import LoginRequired
from gcompute.login.terminal import can_prompt, shown

if TYPE_CHECKING:
    import globus_sdk
    from globus_sdk.gare import GlobusAuthorizationParameters


class TerminalLogin(CommandLineLoginFlowManager):
    """Asks on the terminal or in the notebook; raises at once where there is neither."""

    def run_login_flow(
        self, auth_parameters: GlobusAuthorizationParameters
    ) -> globus_sdk.OAuthTokenResponse:
        """Ask for a login.

        Raises:
            LoginRequired: there is nobody to ask, or he ended the input.
        """
        reason = auth_parameters.session_message
        if not can_prompt():
            raise nobody_to_ask(reason)
        if reason:
            print(reason, file=shown())
        try:
            return super().run_login_flow(auth_parameters)
        except (EOFError, NotImplementedError) as error:
            # A notebook that is run without a person has a kernel that takes no input.
            raise nobody_to_ask(reason) from error

    def print_authorize_url(self, authorize_url: str) -> None:
        """Show the address where the person sees it, even when output goes to a file."""
        print(f"Log in to Globus here:\n\n{authorize_url}\n", file=shown(), flush=True)

    def prompt_for_code(self) -> str:
        """Wait for the code."""
        print("Enter the authorization code: ", end="", file=shown(), flush=True)
        return input().strip()


def nobody_to_ask(reason: str | None = None) -> LoginRequired:
    """Make the error for a login that nobody can be asked for.

    Args:
        reason: what the service says about why it needs another login.
    """
    because = f" ({reason})" if reason else ""
    return LoginRequired(
        http_status=401,
        message=f"a login to Globus is needed{because}, and there is neither a terminal nor a "
        "notebook to ask for it",
    )


def asks_on_terminal(app: globus_sdk.GlobusApp) -> bool:
    """Tell whether an app asks on standard input in the way of ``globus_sdk``, unchecked."""
    manager: Any = app.config.login_flow_manager
    return manager in (None, "command-line", CommandLineLoginFlowManager) or (
        isinstance(manager, CommandLineLoginFlowManager) and not isinstance(manager, TerminalLogin)
    )
