import { z } from "zod";

/** A URL that secrets pass over: TLS, except on this machine, which the hosts of `local` are. Without a slash at its end. */
export function secureUrl(local: RegExp): z.ZodType<string> {
  return z.string().transform((text, context) => {
    const url = URL.parse(text);
    const tls = url?.protocol === "https:" || (url?.protocol === "http:" && local.test(url.hostname));
    if (url === null || !tls) {
      context.addIssue("must be an https:// URL, or http:// on localhost");
      return z.NEVER;
    }
    if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") {
      context.addIssue("must be scheme, host, port and path only, without user, query or fragment");
      return z.NEVER;
    }
    return url.href.replace(/\/+$/, "");
  });
}
