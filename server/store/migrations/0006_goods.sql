-- What the owner is told, and what is still to be handed over to whoever carries it.

CREATE TABLE alarms (
    id       TEXT PRIMARY KEY,
    kind     TEXT NOT NULL,
    terminal TEXT NOT NULL,
    message  TEXT NOT NULL,
    at       BIGINT NOT NULL,
    lasting  BIGINT NOT NULL CHECK (lasting IN (0, 1)),
    ended    BIGINT NOT NULL
);
CREATE INDEX alarms_at ON alarms (at, id);
CREATE UNIQUE INDEX alarms_lasting ON alarms (kind, terminal) WHERE lasting = 1 AND ended = 0;

CREATE TABLE letters (
    id      TEXT PRIMARY KEY,
    courier TEXT NOT NULL,
    alarm   TEXT NOT NULL REFERENCES alarms (id),
    ending  BIGINT NOT NULL CHECK (ending IN (0, 1)),
    written BIGINT NOT NULL,
    due     BIGINT NOT NULL,
    tries   BIGINT NOT NULL
);
CREATE INDEX letters_due ON letters (courier, due);

-- What a sale is listed by; entry is the number of the entry that opened it in
-- its terminal's journal, 0 where it is not known.
ALTER TABLE sales ADD COLUMN number TEXT NOT NULL DEFAULT '';
ALTER TABLE sales ADD COLUMN person TEXT NOT NULL DEFAULT '';
ALTER TABLE sales ADD COLUMN entry BIGINT NOT NULL DEFAULT 0;
CREATE INDEX sales_order ON sales (opened, id);
CREATE INDEX sales_of ON sales (terminal, opened, id);
CREATE INDEX sales_state ON sales (state, opened, id);
DROP INDEX sales_opened;
DROP INDEX sales_terminal;
CREATE INDEX refunds_order ON refunds (at, id);
CREATE INDEX payouts_order ON payouts (created, id);
