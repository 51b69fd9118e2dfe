import type { ConnectSession, CreateConnectSession, CreateReauthorizeSession } from "@patchbay/shared";
import type { ApiPromise } from "../api-promise.ts";
import type { RequestOptions, Transport } from "../transport.ts";

/** The right of one browser to act for one tenant in the widget, for a few minutes. */
export class ConnectSessions {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /**
   * Makes a session for the person that your server has signed in. Hand `token` to the widget and nowhere else.
   *
   * @throws BadRequestError when `allowedOrigins` holds anything but origins
   */
  create(params: CreateConnectSession, options?: RequestOptions): ApiPromise<ConnectSession> {
    return this.#transport.request({ method: "POST", path: ["connect-sessions"], body: params, options });
  }

  /** A session that can repair one connection and do nothing else. */
  reauthorize(params: CreateReauthorizeSession, options?: RequestOptions): ApiPromise<ConnectSession> {
    const path = ["connect-sessions", "reauthorize"];
    return this.#transport.request({ method: "POST", path, body: params, options });
  }
}
