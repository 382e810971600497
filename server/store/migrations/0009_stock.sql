-- Counted goods, in thousandths of a piece: what was sold since the count was
-- imported, and what sales that are not over hold.

CREATE TABLE stock_sold (
    sku  TEXT PRIMARY KEY,
    sold BIGINT NOT NULL
);

CREATE TABLE stock_held (
    sale     TEXT NOT NULL,
    sku      TEXT NOT NULL,
    quantity BIGINT NOT NULL,
    until    BIGINT NOT NULL,
    PRIMARY KEY (sale, sku)
);
CREATE INDEX stock_held_until ON stock_held (until);
