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
  plugins: mode === "embed" ? [asciiOnly()] : [asciiOnly(), thenBuildScriptTag()],
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

/** A page in another charset reads a script in that charset: what is no ASCII would become garbage. */
function asciiOnly(): Plugin {
  return {
    name: "ascii-only",
    generateBundle(_options, bundle) {
      for (const chunk of Object.values(bundle)) {
        if (chunk.type !== "chunk") continue;
        chunk.code = chunk.code.replace(/\P{ASCII}/gu, escape);
      }
    },
  };
}

function escape(character: string): string {
  const units = Array.from({ length: character.length }, (_, index) => character.charCodeAt(index));
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, "0")}`).join("");
}

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
