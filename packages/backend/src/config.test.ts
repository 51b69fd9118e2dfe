import { describe, expect, test } from "vitest";
import { ConfigError, parseConfig } from "./config.ts";

const problemOf = (env: Readonly<Record<string, string>>): string => {
  try {
    parseConfig(env, "/srv");
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return "";
};

describe("parseConfig", () => {
  test("needs no setting", () => {
    expect(parseConfig({}, "/srv")).toMatchObject({
      host: "127.0.0.1",
      port: 4400,
      publicUrl: "http://localhost:4400",
      database: null,
      dataDir: "/srv/.patchbay",
      keyFile: "/srv/.patchbay/keys",
      sandboxOrigins: [],
      inboxRetentionDays: 30,
      deliveryRetentionDays: 30,
      backupRetentionDays: null,
    });
  });

  test("reads numbers, lists and URLs", () => {
    const config = parseConfig(
      {
        PATCHBAY_PORT: "8080",
        PATCHBAY_PUBLIC_URL: "https://connect.example.com/",
        PATCHBAY_SANDBOX_ORIGINS: "http://localhost:4403, https://sandbox.example.com",
        DATABASE_URL: "postgres://us%40er:p%3Ass@db.example.com/app?sslmode=verify-full",
      },
      "/srv",
    );
    expect(config).toMatchObject({
      port: 8080,
      publicUrl: "https://connect.example.com",
      sandboxOrigins: ["http://localhost:4403", "https://sandbox.example.com"],
      database: {
        host: "db.example.com",
        port: 5432,
        user: "us@er",
        password: "p:ss",
        database: "app",
        ssl: "verify-full",
      },
    });
  });

  test.each([
    ["PATCHBAY_PORT", "x", "must be a port, 0 to 65535"],
    ["PATCHBAY_PORT", "70000", "must be a port, 0 to 65535"],
    ["PATCHBAY_PORT", "44.5", "must be a port, 0 to 65535"],
    ["PATCHBAY_PORT", " ", "must be a port, 0 to 65535"],
    ["PATCHBAY_PORT", "-1", "must be a port, 0 to 65535"],
    ["PATCHBAY_DATABASE_CONNECTIONS", "3", "must be 4 to 200"],
    ["PATCHBAY_INBOX_RETENTION_DAYS", "6", "must be 7 to 3650 days"],
    ["PATCHBAY_INBOX_RETENTION_DAYS", "9999", "must be 7 to 3650 days"],
    ["PATCHBAY_DELIVERY_RETENTION_DAYS", "6", "must be 7 to 3650 days"],
    ["PATCHBAY_DELIVERY_RETENTION_DAYS", "9999", "must be 7 to 3650 days"],
    ["PATCHBAY_SYNC_INTERVAL_SECONDS", "1e3", "must be 30 to 86400 seconds"],
    ["PATCHBAY_LEASE_SECONDS", "1", "must be 2 to 300 seconds"],
    ["PATCHBAY_LOG_LEVEL", "loud", "must be trace, debug"],
    ["PATCHBAY_PUBLIC_URL", "http://connect.example.com", "must be an https:// URL"],
    ["PATCHBAY_PUBLIC_URL", "https://connect.example.com/?a=b", "without user, query or fragment"],
    ["PATCHBAY_SANDBOX_ORIGINS", "http://localhost:4403/", "must be origins"],
    ["PATCHBAY_DATABASE_DIRECT_URL", "postgres://a@b/c", "DATABASE_URL must name the pooler"],
    ["DATABASE_URL", "mysql://a@b/c", "must look like postgres://"],
    ["DATABASE_URL", "postgres://a@b", "names no database"],
    ["DATABASE_URL", "postgres://b/c", "names no user"],
    ["DATABASE_URL", "postgres://a:%zz@b/c", "begins no escape"],
    ["DATABASE_URL", "postgres://a@b/c?sslmode=verify", "sslmode must be"],
  ])("refuses %s=%j in one sentence that names it", (name, value, sentence) => {
    const problem = problemOf({ [name]: value });
    expect(problem).toContain(sentence);
    expect(problem.split("\n")).toHaveLength(1);
    expect(problem.split(name)).toHaveLength(2);
  });

  test("tells every wrong setting at once, unknown ones too", () => {
    const problem = problemOf({ PATCHBAY_PORT: "x", PATCHBAY_PROT: "1", PATCHBAY_LOG_LEVEL: "loud" });
    for (const name of ["PATCHBAY_PORT", "PATCHBAY_PROT", "PATCHBAY_LOG_LEVEL"]) expect(problem).toContain(name);
  });

  test("prints no password of a database", () => {
    expect(problemOf({ DATABASE_URL: "postgres://a:hunter2@b" })).not.toContain("hunter2");
  });

  test("leaves what belongs to clients alone, and empty settings out", () => {
    expect(parseConfig({ PATCHBAY_API_KEY: "pb_x", PATCHBAY_URL: "x", PATCHBAY_PORT: "" }, "/srv").port).toBe(4400);
  });

  test("keeps an IPv6 host without its brackets", () => {
    expect(parseConfig({ DATABASE_URL: "postgres://a@[::1]:5433/c" }, "/srv").database).toMatchObject({
      host: "::1",
      port: 5433,
    });
  });
});
