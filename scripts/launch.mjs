// `npm start` and `npm test`. This file alone must be readable by any old Node: it only looks at the version.
const OLDEST_MAJOR = 20;

if (Number(process.versions.node.split(".")[0]) < OLDEST_MAJOR) {
  console.error(
    `Patchbay needs Node.js ${OLDEST_MAJOR} or newer to start (it brings its own for the rest); this is ${process.version}.`,
  );
  process.exitCode = 1;
} else {
  void import("./launch/main.mjs").then(({ main }) => main(process.argv.slice(2)));
}
