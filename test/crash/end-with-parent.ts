/**
 * Loaded into every child before its own code: the child goes when its parent goes, however that ended. A parent that
 * was killed cannot clean up, but the system closes its end of the pipe.
 */
process.stdin.on("end", () => process.kill(process.pid, "SIGKILL")).resume();
process.stdin.unref();
