-- Money is in satoshi or minor units, time in milliseconds since 1970 UTC,
-- 0 is "never". Booleans are 0 or 1.

CREATE TABLE settings (
    name  TEXT PRIMARY KEY,
    value BYTEA NOT NULL
);

CREATE TABLE terminals (
    id           TEXT PRIMARY KEY,
    name         TEXT NOT NULL,
    state        TEXT NOT NULL CHECK (state IN ('living', 'suspended', 'revoked')),
    reason       TEXT NOT NULL,
    since        BIGINT NOT NULL,
    forked       BIGINT NOT NULL CHECK (forked IN (0, 1)),
    created      BIGINT NOT NULL,
    last_seen    BIGINT NOT NULL,
    signed_in    TEXT NOT NULL,
    software     TEXT NOT NULL,
    devices      TEXT NOT NULL,
    held         BIGINT NOT NULL,
    journal_seq  BIGINT NOT NULL CHECK (journal_seq >= 0),
    journal_hash TEXT NOT NULL,
    journal_at   BIGINT NOT NULL,
    alert_seq    BIGINT NOT NULL CHECK (alert_seq >= 0),
    alert_ack    BIGINT NOT NULL CHECK (alert_ack >= 0),
    replaces     TEXT NOT NULL,
    version      BIGINT NOT NULL
);
CREATE UNIQUE INDEX terminals_living_name ON terminals (name) WHERE state <> 'revoked';

CREATE TABLE terminal_keys (
    serial    TEXT PRIMARY KEY,
    hash      TEXT NOT NULL,
    terminal  TEXT NOT NULL REFERENCES terminals (id),
    not_after BIGINT NOT NULL,
    until     BIGINT NOT NULL
);
CREATE INDEX terminal_keys_terminal ON terminal_keys (terminal);

CREATE TABLE pairings (
    name      TEXT PRIMARY KEY,
    code_hash TEXT NOT NULL,
    expires   BIGINT NOT NULL,
    tries     BIGINT NOT NULL,
    replaces  BIGINT NOT NULL CHECK (replaces IN (0, 1))
);

CREATE TABLE journal (
    terminal TEXT NOT NULL REFERENCES terminals (id),
    seq      BIGINT NOT NULL CHECK (seq > 0),
    at       BIGINT NOT NULL,
    kind     TEXT NOT NULL,
    body     TEXT NOT NULL,
    prev     TEXT NOT NULL,
    hash     TEXT NOT NULL,
    received BIGINT NOT NULL,
    flag     TEXT NOT NULL,
    PRIMARY KEY (terminal, seq)
);

CREATE TABLE alerts (
    terminal TEXT NOT NULL REFERENCES terminals (id),
    seq      BIGINT NOT NULL CHECK (seq > 0),
    at       BIGINT NOT NULL,
    kind     TEXT NOT NULL,
    body     TEXT NOT NULL,
    PRIMARY KEY (terminal, seq)
);

CREATE TABLE addresses (
    address     TEXT PRIMARY KEY,
    script      BYTEA NOT NULL,
    path        TEXT NOT NULL,
    branch      BIGINT NOT NULL,
    idx         BIGINT NOT NULL,
    terminal    TEXT NOT NULL,
    leased      BIGINT NOT NULL,
    rested      BIGINT NOT NULL,
    tender      TEXT NOT NULL,
    named       BIGINT NOT NULL CHECK (named IN (0, 1)),
    seen        BIGINT NOT NULL CHECK (seen IN (0, 1)),
    paid        BIGINT NOT NULL CHECK (paid IN (0, 1)),
    watch_until BIGINT NOT NULL,
    UNIQUE (branch, idx)
);
CREATE INDEX addresses_terminal ON addresses (terminal, idx) WHERE tender = '';
CREATE INDEX addresses_rested ON addresses (rested) WHERE terminal = '';
CREATE INDEX addresses_watched ON addresses (watch_until);

CREATE TABLE quotes (
    id       TEXT PRIMARY KEY,
    currency TEXT NOT NULL,
    at       BIGINT NOT NULL,
    body     TEXT NOT NULL
);
CREATE INDEX quotes_latest ON quotes (currency, at);

CREATE TABLE sales (
    id       TEXT PRIMARY KEY,
    terminal TEXT NOT NULL REFERENCES terminals (id),
    opened   BIGINT NOT NULL,
    currency TEXT NOT NULL,
    total    BIGINT NOT NULL,
    state    TEXT NOT NULL,
    flags    TEXT NOT NULL,
    said     TEXT NOT NULL,
    said_at  BIGINT NOT NULL,
    status   BYTEA,
    version  BIGINT NOT NULL
);
CREATE INDEX sales_opened ON sales (opened);
CREATE INDEX sales_terminal ON sales (terminal, opened);
CREATE INDEX sales_live ON sales (state) WHERE state IN ('open', 'seen', 'accepted');

CREATE TABLE sale_events (
    sale       TEXT NOT NULL REFERENCES sales (id),
    version    BIGINT NOT NULL,
    at         BIGINT NOT NULL,
    from_state TEXT NOT NULL,
    to_state   TEXT NOT NULL,
    flags      TEXT NOT NULL,
    cause      TEXT NOT NULL,
    PRIMARY KEY (sale, version)
);

CREATE TABLE tenders (
    id       TEXT PRIMARY KEY,
    sale     TEXT NOT NULL REFERENCES sales (id),
    terminal TEXT NOT NULL,
    kind     TEXT NOT NULL,
    currency TEXT NOT NULL,
    amount   BIGINT NOT NULL,
    added    BIGINT NOT NULL,
    quote    TEXT NOT NULL,
    address  TEXT NOT NULL,
    script   BYTEA NOT NULL,
    due      BIGINT NOT NULL CHECK (due >= 0),
    ends     BIGINT NOT NULL,
    steps    BIGINT NOT NULL,
    refused  TEXT NOT NULL,
    removed  BIGINT NOT NULL CHECK (removed IN (0, 1)),
    accepted BIGINT NOT NULL,
    replaced BIGINT NOT NULL CHECK (replaced IN (0, 1))
);
CREATE INDEX tenders_sale ON tenders (sale, added);
CREATE INDEX tenders_address ON tenders (address) WHERE address <> '';

CREATE TABLE payments (
    txid       TEXT NOT NULL,
    vout       BIGINT NOT NULL,
    address    TEXT NOT NULL,
    script     BYTEA NOT NULL,
    amount     BIGINT NOT NULL,
    height     BIGINT NOT NULL,
    fee_rate   BIGINT NOT NULL,
    conflict   BIGINT NOT NULL CHECK (conflict IN (0, 1)),
    spent      TEXT NOT NULL,
    spent_at   BIGINT NOT NULL,
    first_seen BIGINT NOT NULL,
    gone       BIGINT NOT NULL CHECK (gone IN (0, 1)),
    told       BIGINT NOT NULL,
    PRIMARY KEY (txid, vout)
);
CREATE INDEX payments_address ON payments (address);
CREATE INDEX payments_unspent ON payments (amount) WHERE gone = 0 AND spent = '';

CREATE TABLE debts (
    id      TEXT PRIMARY KEY,
    sale    TEXT NOT NULL,
    address TEXT NOT NULL,
    reason  TEXT NOT NULL,
    sat     BIGINT NOT NULL,
    since   BIGINT NOT NULL,
    settled BIGINT NOT NULL
);
CREATE INDEX debts_sale ON debts (sale);
CREATE INDEX debts_address ON debts (address);
CREATE INDEX debts_open ON debts (since) WHERE settled = 0;

CREATE TABLE refunds (
    id       TEXT PRIMARY KEY,
    sale     TEXT NOT NULL,
    terminal TEXT NOT NULL,
    at       BIGINT NOT NULL,
    body     TEXT NOT NULL
);
CREATE INDEX refunds_sale ON refunds (sale);

CREATE TABLE payouts (
    id         TEXT PRIMARY KEY,
    kind       TEXT NOT NULL CHECK (kind IN ('sweep', 'dispense', 'poisoned')),
    terminal   TEXT NOT NULL,
    state      TEXT NOT NULL,
    digest     TEXT NOT NULL,
    created    BIGINT NOT NULL,
    day        TEXT NOT NULL,
    approver   TEXT NOT NULL,
    by_pin     BIGINT NOT NULL CHECK (by_pin IN (0, 1)),
    amount     BIGINT NOT NULL CHECK (amount >= 0),
    fee        BIGINT NOT NULL CHECK (fee >= 0),
    currency   TEXT NOT NULL,
    value      BIGINT NOT NULL,
    sale       TEXT NOT NULL,
    refund     TEXT NOT NULL,
    detail     TEXT NOT NULL,
    raw        BYTEA,
    depth      BIGINT NOT NULL,
    version    BIGINT NOT NULL
);
CREATE INDEX payouts_day ON payouts (day, terminal) WHERE kind = 'dispense';
CREATE INDEX payouts_sale ON payouts (sale) WHERE sale <> '';
CREATE INDEX payouts_unsettled ON payouts (created) WHERE state IN ('reserved', 'signed', 'broadcast', 'unknown') OR state = 'confirmed' AND depth < 100;
CREATE INDEX payouts_poisoned ON payouts (terminal, created) WHERE kind = 'poisoned';

CREATE TABLE payout_events (
    payout     TEXT NOT NULL REFERENCES payouts (id),
    version    BIGINT NOT NULL,
    at         BIGINT NOT NULL,
    from_state TEXT NOT NULL,
    to_state   TEXT NOT NULL,
    reason     TEXT NOT NULL,
    PRIMARY KEY (payout, version)
);

CREATE TABLE payout_spends (
    txid   TEXT NOT NULL,
    vout   BIGINT NOT NULL,
    payout TEXT NOT NULL REFERENCES payouts (id),
    PRIMARY KEY (txid, vout)
);
CREATE INDEX payout_spends_payout ON payout_spends (payout);

CREATE TABLE approvals (
    person   TEXT NOT NULL,
    terminal TEXT NOT NULL,
    wrong    BIGINT NOT NULL,
    locked   BIGINT NOT NULL,
    PRIMARY KEY (person, terminal)
);
CREATE TABLE approval_steps (
    person TEXT PRIMARY KEY,
    step   BIGINT NOT NULL
);
CREATE TABLE approval_failures (
    person TEXT NOT NULL,
    at     BIGINT NOT NULL
);
CREATE INDEX approval_failures_at ON approval_failures (at);

CREATE TABLE outbox (
    id    TEXT PRIMARY KEY,
    kind  TEXT NOT NULL,
    ref   TEXT NOT NULL,
    due   BIGINT NOT NULL,
    tries BIGINT NOT NULL
);
CREATE INDEX outbox_due ON outbox (due);

CREATE TABLE users (
    id          TEXT PRIMARY KEY,
    body        TEXT NOT NULL,
    disabled    BIGINT NOT NULL CHECK (disabled IN (0, 1)),
    approve_key BYTEA,
    totp        BYTEA
);

CREATE TABLE items (
    position BIGINT PRIMARY KEY,
    body     TEXT NOT NULL
);
