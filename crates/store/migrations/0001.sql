CREATE TABLE head (
    site TEXT NOT NULL PRIMARY KEY,
    position BIGINT NOT NULL,
    chain BYTES NOT NULL,
    commands BIGINT NOT NULL,
    frames BIGINT NOT NULL
);

CREATE TABLE events (
    site TEXT NOT NULL REFERENCES head (site),
    position BIGINT NOT NULL,
    stream TEXT NOT NULL,
    version BIGINT NOT NULL,
    kind TEXT NOT NULL,
    body TEXT NOT NULL,
    author TEXT NOT NULL,
    command_id TEXT NOT NULL,
    ordinal BIGINT NOT NULL,
    at_us BIGINT NOT NULL,
    chain BYTES NOT NULL,
    PRIMARY KEY (site, position)
);
CREATE UNIQUE INDEX events_stream ON events (site, stream, version);
CREATE UNIQUE INDEX events_command ON events (site, command_id, ordinal);

CREATE TABLE commands (
    site TEXT NOT NULL REFERENCES head (site),
    number BIGINT NOT NULL,
    command_id TEXT NOT NULL,
    author TEXT NOT NULL,
    at_us BIGINT NOT NULL,
    first_position BIGINT NOT NULL,
    event_count BIGINT NOT NULL,
    reply TEXT NOT NULL,
    seal BYTES NOT NULL,
    PRIMARY KEY (site, number)
);
CREATE UNIQUE INDEX commands_once ON commands (site, command_id);

CREATE TABLE frames (
    site TEXT NOT NULL REFERENCES head (site),
    number BIGINT NOT NULL,
    sender TEXT NOT NULL,
    control_id TEXT NOT NULL,
    digest BYTES NOT NULL,
    device TEXT NOT NULL,
    received_at_us BIGINT NOT NULL,
    bytes BYTES NOT NULL,
    verdict TEXT NOT NULL,
    seal BYTES NOT NULL,
    PRIMARY KEY (site, number)
);
CREATE UNIQUE INDEX frames_once ON frames (site, sender, control_id, digest);
CREATE INDEX frames_device ON frames (site, device, received_at_us);

CREATE TABLE samples (
    site TEXT NOT NULL,
    session TEXT NOT NULL,
    series TEXT NOT NULL,
    minute_us BIGINT NOT NULL,
    bytes BYTES NOT NULL,
    PRIMARY KEY (site, session, series, minute_us)
);

CREATE TABLE secrets (
    site TEXT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    expires_us BIGINT NOT NULL,
    PRIMARY KEY (site, kind, name)
);

CREATE TABLE cursors (
    site TEXT NOT NULL,
    name TEXT NOT NULL,
    position BIGINT NOT NULL,
    PRIMARY KEY (site, name)
);

CREATE TABLE view_item (
    site TEXT NOT NULL,
    view_name TEXT NOT NULL,
    item TEXT NOT NULL,
    sort BIGINT NOT NULL,
    turn BIGINT NOT NULL,
    search TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (site, view_name, item)
);
CREATE INDEX view_item_sort ON view_item (site, view_name, sort, turn);

CREATE TABLE settings (
    name TEXT NOT NULL PRIMARY KEY,
    value BIGINT NOT NULL
);
