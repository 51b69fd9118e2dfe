import fc from "fast-check";
import { isIP } from "node:net";
import { describe, expect, test } from "vitest";
import { checkUrl, hostnameOf } from "./check-url.ts";
import { classify } from "./classify.ts";

const check = (url: string, options: { requireHttps?: boolean; exemptOrigins?: readonly string[] } = {}) =>
  checkUrl({ url, exemptOrigins: [], ...options });

describe("checkUrl", () => {
  test.each([
    "http://127.0.0.1/",
    "http://127.1/",
    "http://127.0.1/",
    "http://0x7f.1/",
    "http://0x7f000001/",
    "http://0177.0.0.1/",
    "http://0177.1/",
    "http://2130706433/",
    "http://017700000001/",
    "http://0/",
    "http://0.0.0.0/",
    "http://１２７.０.０.１/",
    "http://①②⑦.⓪.⓪.①/",
    "http://127。0。0。1/",
    "http://127.0.0.1./",
    "http://%31%32%37.0.0.1/",
    "http://[::1]/",
    "http://[::]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[::127.0.0.1]/",
    "http://[0:0:0:0:0:0:0:1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[64:ff9b:1::7f00:1]/",
    "http://[::ffff:0:127.0.0.1]/",
    "http://[2001:db8::1]/",
    "http://[3fff::1]/",
    "http://[100::1]/",
    "http://[5f00::1]/",
    "http://[fe80::1]/",
    "http://[fec0::1]/",
    "http://192.88.99.1/",
    "http://0xc0.0x58.0x63.0x01/",
    "https://hooks.example.com./",
    "https://hooks.example.com../",
    "https://.example.com/",
    "http://[2002:7f00:1::]/",
    "http:127.0.0.1/",
    "http:\\\\127.0.0.1\\",
    "ht\ntp://127.0.\t0.1/",
    "http://169.254.169.254/latest/meta-data/",
    "http://0xa9fea9fe/",
    "http://2852039166/",
    "http://0251.0376.0251.0376/",
    "http://169.254.43518/",
    "http://[::ffff:169.254.169.254]/",
    "http://[fd00:ec2::254]/",
    "http://localhost/",
    "http://LOCALHOST./",
    "http://api.localhost/",
    "http://intranet/",
    "https://db.example.com:5432/",
    "https://mail.example.com:25/",
  ])("blocks %j", (url) => expect(check(url)).toEqual({ problem: "blocked_address" }));

  test.each([
    "",
    "no url",
    "ftp://example.com/",
    "file:///etc/passwd",
    "unix:/run/postgresql/.s.PGSQL.5432",
    "http://user@example.com/",
    "https://user:password@example.com/",
    "https://example.com:99999/",
    "https://[fe80::1%25eth0]/",
    "https://[fe80::1%eth0]/",
    "https://[::1%25lo]/",
    "https://127.0.0.1%25lo/",
    "https://256.256.256.256/",
    "https://1.2.3.4.5/",
    "https://08.1.1.1/",
    `https://example.com/${"a".repeat(9_000)}`,
  ])("refuses %j as no URL for us", (url) => expect(check(url)).toEqual({ problem: "invalid_url" }));

  test("lets a public name through, by http only where it is not forbidden", () => {
    expect(check("http://hooks.example.com/a")).toMatchObject({ exempt: false });
    expect(check("https://hooks.example.com:8443/a")).toMatchObject({ exempt: false });
    expect(check("http://hooks.example.com/a", { requireHttps: true })).toEqual({ problem: "invalid_url" });
  });

  test("exempts an exact origin and no other port, scheme or host", () => {
    const exemptOrigins = ["http://localhost:4403"];
    expect(check("http://localhost:4403/_shops/x", { exemptOrigins, requireHttps: true })).toMatchObject({
      exempt: true,
    });
    for (const url of ["http://localhost:4404/", "https://localhost:4403/", "http://localhost:4403.example/"]) {
      expect(check(url, { exemptOrigins })).toHaveProperty("problem");
    }
  });

  test("gives out no literal that is not public, whatever the spelling", () => {
    const hosts = fc.oneof(
      fc.ipV4(),
      fc.ipV4Extended(),
      fc.ipV6().map((address) => `[${address}]`),
      fc.nat(0xffff_ffff).map(String),
      fc.domain(),
      fc.string(),
    );
    const urls = fc
      .tuple(fc.constantFrom("http://", "https://", "http:/", "//", ""), hosts, fc.string())
      .map((parts) => parts.join(""));
    fc.assert(
      fc.property(urls, (url) => {
        const checked = check(url);
        if ("problem" in checked) return;
        const host = hostnameOf(checked.url);
        expect(isIP(host) === 0 ? "name" : classify(host)).not.toBe("blocked");
        expect(checked.url.username + checked.url.password).toBe("");
      }),
      { numRuns: 20_000 },
    );
  });
});
