-- E-cash. Keys, hashes and transaction ids are base32 as on the wire; amounts of
-- the merchant's side are in minor units, those of the mint in millionths.

ALTER TABLE sales ADD COLUMN description TEXT NOT NULL DEFAULT '';
ALTER TABLE tenders ADD COLUMN waiting BIGINT NOT NULL DEFAULT 0 CHECK (waiting IN (0, 1));
ALTER TABLE tenders ADD COLUMN short BIGINT NOT NULL DEFAULT 0 CHECK (short IN (0, 1));
ALTER TABLE debts ADD COLUMN currency TEXT NOT NULL DEFAULT '';
ALTER TABLE debts ADD COLUMN amount BIGINT NOT NULL DEFAULT 0 CHECK (amount >= 0);
ALTER TABLE debts ADD COLUMN bill TEXT NOT NULL DEFAULT '';

CREATE TABLE bills (
    id          TEXT PRIMARY KEY,
    kind        TEXT NOT NULL CHECK (kind IN ('sale', 'product', 'tab', 'lottery')),
    state       TEXT NOT NULL CHECK (state IN ('open', 'waiting', 'paid', 'lost', 'void')),
    sale        TEXT NOT NULL,
    tender      TEXT NOT NULL,
    terminal    TEXT NOT NULL,
    currency    TEXT NOT NULL,
    amount      BIGINT NOT NULL CHECK (amount >= 0),
    most        BIGINT NOT NULL CHECK (most >= 0),
    ends        BIGINT NOT NULL,
    description TEXT NOT NULL,
    contract    TEXT NOT NULL,
    lock_id     TEXT NOT NULL,
    lock_text   BYTEA,
    lock_answer BYTEA,
    signed      BIGINT NOT NULL CHECK (signed >= 0),
    deposit     TEXT NOT NULL,
    closed      BIGINT NOT NULL CHECK (closed IN (0, 1)),
    secret      BYTEA,
    release     BIGINT NOT NULL CHECK (release IN (0, 1)),
    version     BIGINT NOT NULL
);
CREATE INDEX bills_tender ON bills (tender) WHERE tender <> '';
CREATE INDEX bills_todo ON bills (ends) WHERE state = 'open' OR release = 1;

CREATE TABLE contracts (
    hash TEXT PRIMARY KEY,
    bill TEXT NOT NULL REFERENCES bills (id),
    body BYTEA NOT NULL
);

CREATE TABLE deposits (
    id       TEXT PRIMARY KEY,
    bill     TEXT NOT NULL REFERENCES bills (id),
    contract TEXT NOT NULL REFERENCES contracts (hash),
    state    TEXT NOT NULL CHECK (state IN ('waiting', 'signed', 'paid', 'refused', 'lost')),
    body     BYTEA NOT NULL,
    currency TEXT NOT NULL,
    amount   BIGINT NOT NULL CHECK (amount >= 0),
    at       BIGINT NOT NULL,
    until    BIGINT NOT NULL,
    told     TEXT NOT NULL,
    status   BIGINT NOT NULL,
    answer   BYTEA,
    version  BIGINT NOT NULL
);
CREATE INDEX deposits_bill ON deposits (bill);
CREATE INDEX deposits_waiting ON deposits (at) WHERE state = 'waiting';

CREATE TABLE mint_reserves (
    reserve  TEXT PRIMARY KEY,
    currency TEXT NOT NULL,
    balance  BIGINT NOT NULL CHECK (balance >= 0)
);

CREATE TABLE mint_reserve_events (
    reserve TEXT NOT NULL REFERENCES mint_reserves (reserve),
    seq     BIGINT NOT NULL,
    taken   BIGINT NOT NULL CHECK (taken IN (0, 1)),
    amount  BIGINT NOT NULL CHECK (amount > 0),
    at      BIGINT NOT NULL,
    PRIMARY KEY (reserve, seq)
);

CREATE TABLE mint_withdrawals (
    id      TEXT PRIMARY KEY,
    reserve TEXT NOT NULL REFERENCES mint_reserves (reserve),
    ev_sig  BYTEA NOT NULL
);

CREATE TABLE mint_spends (
    coin     TEXT NOT NULL,
    merchant TEXT NOT NULL,
    bill     TEXT NOT NULL,
    identity TEXT NOT NULL,
    amount   BIGINT NOT NULL CHECK (amount > 0),
    body     BYTEA NOT NULL,
    answer   BYTEA NOT NULL,
    at       BIGINT NOT NULL,
    PRIMARY KEY (coin, merchant, bill)
);

CREATE TABLE mint_locks (
    coin     TEXT NOT NULL,
    merchant TEXT NOT NULL,
    bill     TEXT NOT NULL,
    identity TEXT NOT NULL,
    amount   BIGINT NOT NULL CHECK (amount > 0),
    until    BIGINT NOT NULL,
    body     BYTEA NOT NULL,
    answer   BYTEA NOT NULL,
    ended    BIGINT NOT NULL CHECK (ended IN (0, 1)),
    PRIMARY KEY (coin, merchant, bill)
);
