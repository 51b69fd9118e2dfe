import { defineConfig } from "drizzle-kit";

export default defineConfig({
  dialect: "postgresql",
  casing: "snake_case",
  schema: "./packages/backend/src/**/tables.ts",
  out: "./drizzle",
});
