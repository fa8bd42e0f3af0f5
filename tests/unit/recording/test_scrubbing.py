"""What is not to be in a recording is replaced, wherever it stands."""

from __future__ import annotations

import pytest

from tools.recording.scrubbing import BROKER, LONGEST_TEXT, Scrubber, identities, shortened

ADA = "0b9ffc86-ba20-4d93-89b3-58e4ae3f7a2d"
STAND_IN = "aaaaaaaa-0000-4000-8000-000000000001"


def test_what_is_known_is_replaced_everywhere() -> None:
    """In keys, lists and within texts; the longest first, as one may be part of another."""
    scrub = Scrubber({"secret": "s", "secret-of-ada": "token-of-ada"})
    tree = {"secret": [{"a": "Bearer secret-of-ada"}, "x secret y"], "n": 1, "none": None}
    assert scrub(tree) == {"s": [{"a": "Bearer token-of-ada"}, "x s y"], "n": 1, "none": None}


@pytest.mark.parametrize(
    ("text", "scrubbed"),
    [
        ("amqp://u:p@127.0.0.1:5672/%2F", BROKER),
        ("amqps://u.v:p-q@broker.example.com/vhost", BROKER),
        ('{"connection_url": "amqp://u:p@h:1/%2F"}', f'{{"connection_url": "{BROKER}"}}'),
        ("gcompute-0123456789ab.tasks", "service.tasks"),
        ("at 10.20.30.40:80", "at 192.0.2.1:80"),
        ("Python 3.11.7, 1.2.3.4.5", "Python 3.11.7, 1.2.3.4.5"),
        ("bob@university.edu", "somebody@example.org"),
        ('File "/home/bob/env/x.py", line 3', 'File "/somewhere", line 3'),
        ("in /opt/site/a b", "in /somewhere b"),
        ("https://compute.example.org/work/x", "https://compute.example.org/work/x"),
        (BROKER, BROKER),
    ],
)
def test_what_has_a_shape_is_replaced(text: str, scrubbed: str) -> None:
    """Credentials and addresses of brokers, addresses of machines and people, folders."""
    assert Scrubber({})(text) == scrubbed


def test_fields_of_a_machine_are_replaced() -> None:
    """Whatever they say; one that says nothing stays."""
    tree = {"hostname": "node17", "local_user": None, "ip_address": "2001:db8::1"}
    scrubbed = {"hostname": "host.example.org", "local_user": None, "ip_address": "192.0.2.1"}
    assert Scrubber({})(tree) == scrubbed


def test_endpoints_of_others_are_left_out() -> None:
    """Of a list: whose they are, and what they are called, is nobody's business."""
    scrub = Scrubber(identities({"ada": ADA}))
    listed = [{"owner": ADA, "name": "mine"}, {"owner": ADA[::-1], "name": "theirs"}]
    assert scrub(listed) == [{"owner": STAND_IN, "name": "mine"}]


def test_a_long_text_is_told_by_length_and_digest() -> None:
    """So two that differ in one character differ here."""
    text = "x" * (LONGEST_TEXT + 1)
    assert shortened(text[:-1]) == text[:-1]
    assert shortened(text).startswith(f"<{len(text)} characters, sha256 ")
    assert shortened(text) != shortened(text[:-1] + "y")
    assert Scrubber({})([text]) == [shortened(text)]
