import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

/**
 * The house: who may know whom. A module imports from strictly lower ranks, through their `index.ts`, and from those
 * of its own rank that are listed. `ARCHITECTURE.md` shows the same.
 */
const RANKS: readonly (readonly string[])[] = [
  ["shared"],
  ["platform/runtime", "platform/observability"],
  ["platform/db", "platform/egress"],
  ["platform/lanes", "platform/jobs", "connectors"],
  ["domain/vault", "domain/audit", "domain/workspaces", "domain/connections", "domain/records", "domain/events"],
  [
    "products/credentials",
    "products/provider-client",
    "products/ingest",
    "products/delivery",
    "products/connect",
    "products/erasure",
    "products/restore",
  ],
  ["surface/http", "surface/cli"],
  ["compose"],
];

/** The few edges inside a rank; together they have no circle. */
const SIDEWAYS: Readonly<Record<string, readonly string[]>> = {
  "platform/observability": ["platform/runtime"],
  "domain/audit": ["domain/vault"],
  "domain/workspaces": ["domain/audit", "domain/vault"],
  "domain/events": ["domain/vault"],
  "domain/records": ["domain/connections", "domain/events", "domain/vault"],
  "domain/connections": ["domain/audit", "domain/events", "domain/vault", "domain/workspaces"],
  "products/provider-client": ["products/credentials"],
  "products/ingest": ["products/provider-client"],
  "products/connect": ["products/credentials", "products/provider-client"],
  "products/erasure": ["products/connect", "products/delivery", "products/ingest"],
  "products/restore": ["products/credentials", "products/erasure"],
};

/** Narrower than their rank allows. */
const ONLY: Readonly<Record<string, readonly string[]>> = {
  connectors: ["shared"],
};

/** What each package may import of the others. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  shared: [],
  backend: ["shared", "embed-widget"],
  "node-sdk": ["shared"],
  "embed-widget": ["shared"],
  sandbox: [],
  "host-app": ["node"],
};

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const BACKEND = join(ROOT, "packages/backend/src");
/** Files at the top of the backend compose the rest: they may know everything. */
const TOP = "compose";

describe("architecture", () => {
  const files = sourceFiles(BACKEND).filter(isProduct);

  test("finds the backend's files and every module in a rank", () => {
    expect(files.length).toBeGreaterThan(50);
    const modules = new Set(files.map(moduleOf));
    expect([...modules].filter((name) => rankOf(name) === -1)).toEqual([]);
  });

  test("a module imports only from lower ranks and its listed neighbours", () => {
    const wrong = files.flatMap((file) =>
      importsOf(file)
        .map((target) => ({ from: moduleOf(file), to: moduleOf(target), file: relative(ROOT, file) }))
        .filter(({ from, to }) => from !== to && !mayImport(from, to))
        .map(({ file: name, to }) => `${name} imports ${to}`),
    );
    expect(wrong).toEqual([]);
  });

  test("a module is imported through its index only", () => {
    const wrong = files.flatMap((file) =>
      importsOf(file)
        .filter((target) => moduleOf(target) !== moduleOf(file) && moduleOf(target) !== TOP && !isFace(target))
        .map((target) => `${relative(ROOT, file)} imports ${relative(ROOT, target)}`),
    );
    expect(wrong).toEqual([]);
  });

  test("nothing outside connectors names a provider", () => {
    const names = readdirSync(join(BACKEND, "connectors"), { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && entry.name !== "kit")
      .map((entry) => entry.name);
    expect(names).toContain("shopify");
    const naming = new RegExp(`["'\`/](${names.join("|")})["'\`/]`);
    const wrong = files
      .filter((file) => !moduleOf(file).startsWith("connectors") && moduleOf(file) !== TOP)
      .filter((file) => naming.test(withoutComments(readFileSync(file, "utf8"))));
    expect(wrong.map((file) => relative(ROOT, file))).toEqual([]);
  });

  test("packages import only what they are allowed", () => {
    const wrong: string[] = [];
    for (const [name, allowed] of Object.entries(PACKAGES)) {
      const folder = name === "host-app" ? join(ROOT, "examples/host-app") : join(ROOT, "packages", name);
      for (const file of sourceFiles(join(folder, "src")).filter(isProduct)) {
        for (const [, target = ""] of readFileSync(file, "utf8").matchAll(/["']@patchbay\/([\w-]+)/g)) {
          if (!allowed.includes(target)) wrong.push(`${relative(ROOT, file)} imports ${target}`);
        }
      }
    }
    expect(wrong).toEqual([]);
  });

  test.each(["node-sdk", "embed-widget"])("%s takes types only from shared", (name) => {
    const wrong = sourceFiles(join(ROOT, "packages", name, "src"))
      .filter((file) => !/\.test\.tsx?$/.test(file) && !file.includes("/browser/"))
      .filter((file) => /^(import|export)(?! type)[^;]*@patchbay\/shared/m.test(readFileSync(file, "utf8")));
    expect(wrong.map((file) => relative(ROOT, file))).toEqual([]);
  });

  test("only main.ts reads the environment, and only runtime makes time and chance", () => {
    const reads = files.filter(
      (file) => !file.endsWith("/main.ts") && /process\.env/.test(withoutComments(readFileSync(file, "utf8"))),
    );
    expect(reads.map((file) => relative(ROOT, file))).toEqual([]);
  });

  test("files stay short: nine in ten within 200 lines", () => {
    const lengths = files.map((file) => readFileSync(file, "utf8").split("\n").length).sort((a, b) => a - b);
    expect(lengths[Math.floor(lengths.length * 0.9)]).toBeLessThanOrEqual(200);
  });

  test("every table of the schema belongs to one module and starts with its workspace", () => {
    const tables = files.filter((file) => file.endsWith("/tables.ts"));
    expect(tables.length).toBeGreaterThanOrEqual(7);
    for (const file of tables.filter((path) => !path.includes("platform/lanes"))) {
      const text = readFileSync(file, "utf8");
      for (const key of text.matchAll(/(?:primaryKey\(\{ columns: \[|uniqueIndex\("\w+"\)\s*\.on\()([^\])]*)/g)) {
        expect(key[1]?.trim(), `${relative(ROOT, file)}: ${key[0]}`).toMatch(/^t\.workspaceId/);
      }
    }
  });
});

/** Not a test, and not what tests are made with. */
function isProduct(file: string): boolean {
  return !/\.test\.tsx?$|\/testing\//.test(file);
}

function mayImport(from: string, to: string): boolean {
  if (ONLY[from] !== undefined) return ONLY[from].includes(to);
  if (rankOf(to) < rankOf(from)) return true;
  return SIDEWAYS[from]?.includes(to) ?? false;
}

function rankOf(module: string): number {
  return RANKS.findIndex((rank) => rank.includes(module));
}

/** `…/domain/vault/seal.ts` → `domain/vault`; files at the top → `compose`. */
function moduleOf(file: string): string {
  if (file.includes("/packages/shared/")) return "shared";
  const parts = relative(BACKEND, file).split("/");
  if (parts[0] === "connectors") return "connectors";
  return parts.length < 3 ? TOP : `${parts[0]}/${parts[1]}`;
}

/** `index.ts`; and what table definitions need of each other, so that schema tools need not load the driver. */
function isFace(file: string): boolean {
  return /\/(index|tables|db\/columns)\.ts$/.test(file) || file.includes("/packages/shared/");
}

/** Files that a file imports, resolved; type-only imports count, since they are knowledge too. */
function importsOf(file: string): readonly string[] {
  const text = readFileSync(file, "utf8");
  const found = text.matchAll(/(?:from\s+|import\s+|import\()["']([^"']+)["']/g);
  return [...found].flatMap(([, target = ""]) => {
    if (target === "@patchbay/shared") return [join(ROOT, "packages/shared/src/index.ts")];
    return target.startsWith(".") ? [resolve(dirname(file), target)] : [];
  });
}

function sourceFiles(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name));
}

function withoutComments(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");
}
