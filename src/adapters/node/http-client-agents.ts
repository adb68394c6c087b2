/**
 * Connection pools of `node:http` and `node:https`, and those modules themselves, from their first
 * use on. They are not loaded by `import`, which evaluates all that a module of Node exports: with
 * `node:http` a WebSocket, and for it a second HTTP client, 33 ms of a start of 150; TLS takes 12.
 */
import type { Agent, AgentOptions, ClientRequest, RequestOptions } from "node:http";
import type { Agent as HttpsAgent } from "node:https";

/** One pool for each scheme. */
export class AgentPair {
  readonly #options: AgentOptions;
  #http: Agent | undefined;
  #https: HttpsAgent | undefined;

  constructor(options: AgentOptions) {
    this.#options = options;
  }

  /** Makes a request, which is sent by its `end`. */
  request(url: URL, options: Pick<RequestOptions, "headers">): ClientRequest {
    if (url.protocol === "https:") {
      const https = process.getBuiltinModule("node:https");
      this.#https ??= new https.Agent(this.#options);
      return https.request(url, { ...options, agent: this.#https });
    }
    const http = process.getBuiltinModule("node:http");
    this.#http ??= new http.Agent(this.#options);
    return http.request(url, { ...options, agent: this.#http });
  }
}
