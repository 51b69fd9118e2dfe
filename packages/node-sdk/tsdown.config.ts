import { defineConfig } from "tsdown";

/**
 * The wire types come from `@patchbay/shared`, where `interface Order` shares its name with the zod schema of it. This
 * package depends on nothing, so its declarations keep the interface and lose the schema.
 */
const typesWithoutSchemas = {
  name: "types-without-schemas",
  transform: {
    order: "pre" as const,
    filter: { id: /\.d\.ts$/ },
    handler: (code: string) =>
      code.replaceAll(/^export declare const \w+: z\.ZodType<.*>;$/gm, "").replace(/^import \{ z \} from "zod";$/m, ""),
  },
};

const config = defineConfig({
  entry: ["src/index.ts"],
  format: "esm",
  target: "node20",
  fixedExtension: false,
  dts: true,
  deps: { alwaysBundle: ["@patchbay/shared"], onlyBundle: [] },
  plugins: [typesWithoutSchemas],
});

// oxlint-disable-next-line import/no-default-export -- how tsdown reads its configuration
export default config;
