-- Sweeps whose fee was raised, and debts that payouts pay.

ALTER TABLE tenders ADD COLUMN raised TEXT NOT NULL DEFAULT '';
ALTER TABLE debts ADD COLUMN paid BIGINT NOT NULL DEFAULT 0 CHECK (paid >= 0);
