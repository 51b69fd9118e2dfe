/**
 * Instants at which a process may be killed with something half done. Production does nothing there; the crash tests
 * kill the process at each of them.
 */
export const FAILPOINTS = [
  "due", // a refresh is found to be due; nothing is written
  "flight", // this process has begun one; nothing is claimed
  "claimed", // the claim is committed; nothing is sent
  "asking", // whatever must be remembered before sending is committed; nothing is sent
  "answered", // the new pair is in memory alone
  "overtaken", // a pair that came too late is stored as an orphan
  "committed", // the new pair is stored; nobody has it
  "lost", // it is stored that the answer was lost
  "dead", // the death is stored; nobody was told
] as const;
export type Failpoint = (typeof FAILPOINTS)[number];
export type At = (point: Failpoint) => void;
