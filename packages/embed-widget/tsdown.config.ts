import { defineConfig } from "tsdown";

/** Declarations only; vite builds the code. Wire types are written out, since `@patchbay/shared` is not published. */
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
  fixedExtension: false,
  clean: false,
  tsconfig: "../../tsconfig.widget-types.json",
  dts: { emitDtsOnly: true },
  deps: { alwaysBundle: ["@patchbay/shared"], onlyBundle: [] },
  plugins: [typesWithoutSchemas],
});

// oxlint-disable-next-line import/no-default-export -- how tsdown reads its configuration
export default config;
