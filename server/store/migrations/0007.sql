-- Configurations pushed to terminals: what differs from the server's own, as
-- text; stage is a JSON list of terminal ids, empty for all.

CREATE TABLE pushes (
    seq   BIGINT PRIMARY KEY,
    at    BIGINT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('staged', 'holds', 'replaced', 'rolled_back')),
    body  TEXT NOT NULL,
    stage TEXT NOT NULL
);
