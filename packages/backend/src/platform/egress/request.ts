import type { Secret } from "../runtime/index.ts";

/** What goes out and what comes back. Outcomes are values: the caller decides what a failure means. */
export interface EgressRequest {
  readonly url: string;
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** `host`, `content-length` and hop-by-hop headers are ours to set: given ones are dropped. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** Exact origins whose address, name and port are not checked: the sandbox, for test workspaces. */
  readonly exemptOrigins: readonly string[];
  /** From the call to the last byte of the answer. */
  readonly deadlineMs: number;
  /** Of the decoded body; what is longer is cut there. */
  readonly responseBytesMax: number;
  /** Refuses `http:`, but for exempt origins. */
  readonly requireHttps?: boolean;
  readonly signal?: AbortSignal;
  /** Shown in the TLS handshake. Connections made with it serve nobody else. */
  readonly clientCertificate?: ClientCertificate;
}

export interface ClientCertificate {
  /** Whose it is, such as a grant's id: owners never share a connection, not even with equal certificates. */
  readonly owner: string;
  /** PEM, with its chain. */
  readonly certificate: string;
  /** PEM. */
  readonly privateKey: Secret;
}

export type EgressResult =
  | {
      readonly ok: true;
      readonly status: number;
      /** Lower-case names; several of one name are joined by `, `. */
      readonly headers: Readonly<Record<string, string>>;
      /** Decoded from gzip, deflate or br. */
      readonly body: Uint8Array;
      /** The body was longer than `responseBytesMax` and was cut. */
      readonly truncated: boolean;
    }
  | {
      readonly ok: false;
      readonly problem: EgressProblem;
      /** The request may have reached the server. */
      readonly sent: boolean;
    };

/** Fixed words, safe to show to anybody: no address, no banner, no timing. `response_too_large`: its headers. */
export type EgressProblem =
  | "timeout"
  | "connection_refused"
  | "connection_reset"
  | "dns"
  | "tls"
  | "blocked_address"
  | "invalid_url"
  | "response_too_large"
  | "canceled"
  | "network";
