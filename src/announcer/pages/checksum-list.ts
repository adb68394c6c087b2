/** `/p/NAME.sha256`: what `sha256sum -c` reads, run where the content was downloaded to. */
import type { PublicationContent } from "../../ports/catalogue.ts";

/** One line for each file. GNU coreutils escapes a backslash in a name and marks that line. */
export function checksumList(content: PublicationContent): string {
  return content.files
    .map(({ path, sha256 }) => {
      const whole = content.isDirectory ? [content.contentName, ...path] : [content.contentName];
      const name = whole.join("/");
      const isEscaped = name.includes("\\");
      return `${isEscaped ? "\\" : ""}${sha256}  ${name.replaceAll("\\", "\\\\")}\n`;
    })
    .join("");
}
