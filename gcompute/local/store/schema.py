"""The tables of the state file, in SQL.

Ids are UUIDs as text, times are Unix times in seconds, and what the service only hands back is
JSON text. Rows of endpoints and functions stay when they are deleted, as tasks refer to them.
A task's state is the last one that the service knows of; ``success`` and ``failed`` are final.
"""

from __future__ import annotations

#: Written to the file as ``user_version``; a file with another number is refused.
VERSION = 3

SCHEMA = """
CREATE TABLE meta (
    key    TEXT PRIMARY KEY,
    value  TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE users (
    id    TEXT PRIMARY KEY,
    name  TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE tokens (
    token    TEXT PRIMARY KEY,
    user_id  TEXT NOT NULL REFERENCES users
) WITHOUT ROWID;

-- What the service's own Globus Auth has issued.
CREATE TABLE auth_tokens (
    hash             TEXT PRIMARY KEY,            -- SHA-256 of the token
    kind             TEXT NOT NULL,               -- access or refresh
    grant_id         TEXT NOT NULL,               -- one login at one resource server
    user_id          TEXT NOT NULL REFERENCES users,
    client_id        TEXT NOT NULL,
    resource_server  TEXT NOT NULL,
    scope            TEXT NOT NULL,
    policies         TEXT NOT NULL,               -- JSON: ids of the policies that the login met
    expires_at       REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX auth_tokens_by_grant ON auth_tokens (grant_id);

-- Of the embedded broker, which forgets them when it ends.
CREATE TABLE broker_logins (
    name      TEXT PRIMARY KEY,
    password  TEXT NOT NULL,
    write     TEXT NOT NULL,                      -- pattern of exchanges
    read      TEXT NOT NULL                       -- pattern of queues
) WITHOUT ROWID;

CREATE TABLE endpoints (
    id                           TEXT PRIMARY KEY,
    owner                        TEXT NOT NULL REFERENCES users,
    registration                 TEXT NOT NULL,   -- the last registration request, JSON
    high_assurance               INTEGER NOT NULL, -- from the registration
    registered_at                REAL NOT NULL,
    subscription_admin_verified  INTEGER NOT NULL DEFAULT 0,
    locked_until                 REAL NOT NULL DEFAULT 0,
    report                       TEXT,            -- global_state of the last status report, JSON
    reported_at                  REAL,
    deleted_at                   REAL
);

CREATE TABLE functions (
    id             TEXT PRIMARY KEY,
    owner          TEXT NOT NULL REFERENCES users,
    name           TEXT NOT NULL,
    description    TEXT,
    code           TEXT NOT NULL,                 -- as registered
    serialized     INTEGER NOT NULL,              -- 0: the code is Python source
    metadata       TEXT NOT NULL,                 -- JSON
    public         INTEGER NOT NULL,
    group_id       TEXT,                          -- a group it is shared with
    ha_endpoint    TEXT,                          -- the only endpoint that may run it
    registered_at  REAL NOT NULL,
    deleted_at     REAL
);

CREATE TABLE task_groups (
    id          TEXT PRIMARY KEY,
    owner       TEXT NOT NULL REFERENCES users,
    has_queue   INTEGER NOT NULL,
    created_at  REAL NOT NULL
);

-- What the tasks of one submit share.
CREATE TABLE batches (
    seq                     INTEGER PRIMARY KEY,
    request_id              TEXT NOT NULL,
    task_group              TEXT NOT NULL REFERENCES task_groups,
    endpoint                TEXT NOT NULL REFERENCES endpoints,
    owner                   TEXT NOT NULL REFERENCES users,
    resource_specification  TEXT NOT NULL,        -- JSON
    result_serializers      TEXT NOT NULL,        -- JSON
    user_runtime            TEXT NOT NULL,        -- JSON
    received_at             REAL NOT NULL
);
CREATE INDEX batches_by_group ON batches (task_group);

CREATE TABLE tasks (
    seq           INTEGER PRIMARY KEY,
    id            TEXT NOT NULL UNIQUE,
    batch         INTEGER NOT NULL REFERENCES batches,
    function      TEXT NOT NULL REFERENCES functions,
    payload       TEXT,                           -- packed args and kwargs; NULL once finished
    state         TEXT NOT NULL,
    dispatched_at REAL,                           -- when the broker took it
    transitions   TEXT,                           -- JSON: what the endpoint reported, state to time
    losses        INTEGER NOT NULL DEFAULT 0,     -- how often its endpoint died with it
    completed_at  REAL
);
CREATE INDEX tasks_by_batch ON tasks (batch);
CREATE INDEX tasks_unfinished ON tasks (seq) WHERE completed_at IS NULL;

CREATE TABLE results (
    task       INTEGER PRIMARY KEY REFERENCES tasks,
    body       BLOB NOT NULL,                     -- the endpoint's result message
    forwarded  INTEGER NOT NULL                   -- 0: its group's queue has not had it, 1: it has,
                                                  -- or there is none, 2: a client has had it
);
CREATE INDEX results_unforwarded ON results (task) WHERE forwarded = 0;

CREATE TABLE containers (
    id             TEXT PRIMARY KEY,
    owner          TEXT NOT NULL REFERENCES users,
    registration   TEXT NOT NULL,                 -- the request, JSON
    build_status   TEXT NOT NULL,
    err_message    TEXT,
    registered_at  REAL NOT NULL
);
"""
