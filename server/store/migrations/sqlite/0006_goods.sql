-- Sales by the beginnings of words.
CREATE VIRTUAL TABLE sale_words USING fts5 (
    words, sale UNINDEXED, columnsize=0, detail=none, tokenize="unicode61 remove_diacritics 0 tokenchars '.'"
);
-- The dictionary of these words: a beginning is looked up here first.
CREATE TABLE words (word TEXT PRIMARY KEY) WITHOUT ROWID;
