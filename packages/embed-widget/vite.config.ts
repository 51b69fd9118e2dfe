import { build, defineConfig, type Plugin } from "vite";

/** Properties that neither the wire, nor the page, nor the public interface knows: shortened in the bundle. */
const INTERNAL =
  /^(screen|effects|effect|preset|resumption|deferred|earlyWindow|serial|failures|failure|flow|completing|quiet|seemsClosed|confirm|retry|copied|dispatch|openWindowAtOnce|problems|apiOrigin|onChange|wordFailure|windowTitle|navigate|isHidden|firstMs|ceilingMs|limitMs|timers|importing|slow|follow|lookedAt|onClosed|network|view|verb|large|openWindow|abandon|dispose|loadSession|startAuthorization|completeAuthorization|cancelAuthorization|changeConnection|busy|icon|words|off|emit|api|resumption|verbs|importing|onLimit)$/;

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
    rolldownOptions: {
      output: { minify: { compress: true, mangle: true, codegen: true, mangleProps: { include: INTERNAL } } },
    },
    lib:
      mode === "embed"
        ? { entry: "src/embed.ts", formats: ["iife"], name: "patchbayEmbed", fileName: () => "embed.js" }
        : { entry: "src/index.ts", formats: ["es"], fileName: () => "patchbay-connect.js" },
  },
}));

function thenBuildScriptTag(): Plugin {
  let outDir = "dist";
  return {
    name: "then-build-script-tag",
    apply: "build",
    configResolved(config) {
      outDir = config.build.outDir;
    },
    async closeBundle() {
      await build({ root: import.meta.dirname, mode: "embed", build: { outDir, emptyOutDir: false } });
    },
  };
}
