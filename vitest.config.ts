import { defineConfig } from "vitest/config";

const ignored = ["**/node_modules/**", "**/dist/**"];

/**
 * `unit` is pure, `db` runs against a real Postgres (one database per file, cloned from a template),
 * `e2e` runs whole processes over real HTTP and in a real browser.
 */
export default defineConfig({
  test: {
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // For all projects the same, or they could not run in one go. Files mostly wait for a browser or a database.
    maxWorkers: 2,
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: [
            "packages/*/src/**/*.test.{ts,tsx}",
            "examples/*/src/**/*.test.ts",
            "test/{architecture,event-types,security-tests}.test.ts",
          ],
          exclude: [...ignored, "**/*.db.test.ts"],
        },
      },
      {
        extends: true,
        test: {
          name: "db",
          include: ["packages/*/src/**/*.db.test.ts"],
          exclude: ignored,
          globalSetup: ["test/harness/global-postgres.ts"],
        },
      },
      {
        extends: true,
        test: {
          name: "e2e",
          include: ["test/{e2e,contract,security,crash}/**/*.test.ts"],
          exclude: ignored,
          globalSetup: ["test/harness/global-postgres.ts"],
          testTimeout: 90_000,
        },
      },
    ],
  },
});
