/** Stable versions answered under their own name, oldest first. */
export const VERSIONS = ["2026-01", "2026-04", "2026-07", "2026-10"] as const;

/** The version that answers: the asked one, or the oldest supported when it is unknown or gone. */
export function servedVersion(asked: string): string {
  if (asked === "unstable") return asked;
  return VERSIONS.find((version) => version === asked) ?? VERSIONS[0];
}

export function publicVersions() {
  const stable = VERSIONS.map((handle, index) => ({
    handle,
    displayName: index === VERSIONS.length - 1 ? `${handle} (Latest)` : handle,
    supported: true,
  }));
  return [
    ...stable,
    { handle: "2027-01", displayName: "2027-01 (Release candidate)", supported: false },
    { handle: "unstable", displayName: "unstable", supported: false },
  ];
}
