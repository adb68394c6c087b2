/**
 * How both ends of a control link prove that they hold the service key, without showing it: each
 * answers the other's nonce with a MAC. Every connection derives keys of its own for its frames,
 * one per direction, so that nothing recorded on one is good on another, or the other way round.
 */
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { CONTROL_VERSION, type ControlRole } from "../../protocol/control/messages.ts";

/** What both ends know after the greeting; nonces in hexadecimal. */
export interface Greeting {
  readonly role: ControlRole;
  readonly serverNonce: string;
  readonly clientNonce: string;
}

/** Keys for the frames of one connection. */
export interface FrameKeys {
  readonly toServer: Uint8Array;
  readonly toClient: Uint8Array;
}

/** 32 random bytes in hexadecimal. */
export function newNonce(): string {
  return randomBytes(32).toString("hex");
}

/** What a client that holds `key` sends, in hexadecimal. */
export function clientProof(key: Uint8Array, greeting: Greeting): string {
  return derive(key, "client proof", greeting).toString("hex");
}

/** What the Tracker that holds `key` sends, in hexadecimal. */
export function serverProof(key: Uint8Array, greeting: Greeting): string {
  return derive(key, "server proof", greeting).toString("hex");
}

/** The keys that the greeting's nonces give, to those who hold `key`. */
export function frameKeys(key: Uint8Array, greeting: Greeting): FrameKeys {
  return {
    toServer: derive(key, "frames to server", greeting),
    toClient: derive(key, "frames to client", greeting),
  };
}

/** HMAC-SHA256 of `bytes`. */
export function macOf(key: Uint8Array, bytes: Uint8Array): Uint8Array {
  return createHmac("sha256", key).update(bytes).digest();
}

/** Whether two MACs are equal, in a time that does not tell how far. */
export function isSameMac(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

/** The same for two in hexadecimal. */
export function isSameHexMac(a: string, b: string): boolean {
  return isSameMac(Buffer.from(a, "hex"), Buffer.from(b, "hex"));
}

function derive(key: Uint8Array, purpose: string, greeting: Greeting): Buffer {
  const { role, serverNonce, clientNonce } = greeting;
  const words = [`btpublisher control ${CONTROL_VERSION}`, purpose, role, serverNonce, clientNonce];
  return createHmac("sha256", key).update(words.join("\n")).digest();
}
