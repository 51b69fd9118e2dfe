ALTER TABLE "endpoints" ADD COLUMN "payload" text DEFAULT 'full' NOT NULL;--> statement-breakpoint
ALTER TABLE "endpoints" ADD CONSTRAINT "endpoints_payload" CHECK ("payload" in ('full', 'thin'));
