-- Which secrets sign a delivery: all that live, or, for a test before the former ones end, the newest alone.
ALTER TABLE deliveries ADD COLUMN sign_with text NOT NULL DEFAULT 'all'
  CONSTRAINT deliveries_sign_with CHECK (sign_with IN ('all', 'newest'));
--> statement-breakpoint

-- Retention: up to which position deliveries that arrived may be forgotten, and where answers are still kept.
ALTER TABLE endpoints ADD COLUMN forgotten_position bigint NOT NULL DEFAULT 0;
--> statement-breakpoint
CREATE INDEX attempts_with_answer ON attempts (workspace_id, id) WHERE response_body IS NOT NULL;
