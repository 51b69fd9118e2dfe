import { access, constants, statfs } from "node:fs/promises";
import { tmpdir } from "node:os";

/** Where throw-away databases lie: in memory when there is room, since cloning one makes a thousand small files. */
export async function scratchRoot(): Promise<string> {
  try {
    await access(MEMORY, constants.W_OK);
    const { bavail, bsize } = await statfs(MEMORY);
    return bavail * bsize >= ROOM_BYTES_MIN ? MEMORY : tmpdir();
  } catch {
    return tmpdir();
  }
}

const MEMORY = "/dev/shm";
/** A container' usual 64 MiB would not do; a whole run stays below 1 GiB. */
const ROOM_BYTES_MIN = 2 * 1024 ** 3;
