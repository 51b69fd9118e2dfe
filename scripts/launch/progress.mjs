/** One line on the screen that says what is being done and for how long; without a terminal, a line now and then. */
export class Progress {
  constructor(what) {
    this.what = what;
    this.detail = "";
    this.startedAt = Date.now();
    this.live = Boolean(process.stdout.isTTY);
    this.draw();
    this.timer = setInterval(() => this.draw(), this.live ? LIVE_MS : PLAIN_MS);
  }

  done() {
    clearInterval(this.timer);
    this.write(`${this.what}: done in ${this.seconds()} s`);
    if (this.live) process.stdout.write("\n");
  }

  failed() {
    clearInterval(this.timer);
    this.write(`${this.what}: failed after ${this.seconds()} s`);
    if (this.live) process.stdout.write("\n");
  }

  draw() {
    const detail = this.detail === "" ? "" : `, ${this.detail}`;
    const elapsed = this.seconds() === 0 ? "" : ` (${this.seconds()} s${detail})`;
    this.write(`${this.what} …${elapsed}`);
  }

  seconds() {
    return Math.round((Date.now() - this.startedAt) / 1000);
  }

  write(text) {
    process.stdout.write(this.live ? `\r\u001B[2K${text}` : `${text}\n`);
  }
}

const LIVE_MS = 250;
const PLAIN_MS = 10_000;
