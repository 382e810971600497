-- The shifts among any number of entries.
CREATE INDEX journal_closings ON journal (terminal, seq) WHERE kind = 'shift_closed';
