import { build, defineConfig, type Plugin } from "vite";

/**
 * One source, two builds by one `vite build`: the module, then (mode `embed`) the script tag.
 *
 * The module registers nothing by itself; the script tag defines the element as soon as it runs.
 */
export default defineConfig(({ mode }) => ({
  plugins: mode === "embed" ? [] : [thenBuildScriptTag()],
  // The classic calls are 2 % smaller than the automatic runtime.
  oxc: {
    jsx: { runtime: "classic", pragma: "h", pragmaFrag: "Fragment" },
    jsxInject: 'import { h, Fragment } from "preact";',
  },
  build: {
    target: ["chrome123", "firefox121", "safari17.5"],
    cssTarget: ["chrome123", "firefox121", "safari17.5"],
    emptyOutDir: mode !== "embed",
    reportCompressedSize: true,
    minify: true,
    rolldownOptions: { output: { minify: true } },
    lib:
      mode === "embed"
        ? { entry: "src/embed.ts", formats: ["iife"], name: "patchbayEmbed", fileName: () => "embed.js" }
        : { entry: "src/index.ts", formats: ["es"], fileName: () => "patchbay-connect.js" },
  },
}));

function thenBuildScriptTag(): Plugin {
  return {
    name: "then-build-script-tag",
    apply: "build",
    async closeBundle() {
      await build({ root: import.meta.dirname, mode: "embed" });
    },
  };
}
