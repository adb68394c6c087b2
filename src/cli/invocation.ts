/** How the user calls this program, for texts that say what to type next. */
import process from "node:process";

/** `btpublisher`, or what stands for it in a checkout, where that is not installed. */
export function invocation(): string {
  return process.argv[1]?.endsWith("main.ts") === true ? "npm run btpublisher --" : "btpublisher";
}
