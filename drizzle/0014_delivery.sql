-- Which secrets sign a delivery: all that live, or, for a test before the former ones end, the newest alone.
ALTER TABLE deliveries ADD COLUMN sign_with text NOT NULL DEFAULT 'all'
  CONSTRAINT deliveries_sign_with CHECK (sign_with IN ('all', 'newest'));
