/** `statusReason` of a connection whose credentials the host took over. */
export const HANDED_OVER = "handed_over";
