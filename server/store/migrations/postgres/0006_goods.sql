-- Sales by the beginnings of words.
ALTER TABLE sales ADD COLUMN words TSVECTOR;
CREATE INDEX sales_words ON sales USING GIN (words);
