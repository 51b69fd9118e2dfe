import { startTcpProxy, type TcpProxy } from "../../harness/tcp-proxy.ts";
import type { Through } from "../standalone-ground.ts";

/** Every wire of the product leads through a proxy of its own: database, provider, host and inbox. */
export function proxiedWires(): {
  readonly wires: Readonly<Record<string, TcpProxy>>;
  readonly through: Required<Through>;
} {
  const wires: Record<string, TcpProxy> = {};
  const toPort = async (name: string, port: number) => {
    const wire = await startTcpProxy({ host: "127.0.0.1", port });
    wires[name] = wire;
    return wire.port;
  };
  const through: Required<Through> = {
    async database(connection) {
      const wire = await startTcpProxy({ path: `${connection.host}/.s.PGSQL.${connection.port}` });
      wires["database"] = wire;
      return { ...connection, host: "127.0.0.1", port: wire.port };
    },
    provider: async (url) => `http://localhost:${await toPort("provider", Number(new URL(url).port))}`,
    inbox: async (url) => `http://localhost:${await toPort("inbox", Number(new URL(url).port))}`,
    host: (port) => toPort("host", port),
  };
  return { wires, through };
}
