/**
 * HTML by a template tag that escapes every value (reliability A2): what is not `Html` is text.
 * Values may stand in element content and between double quotes only.
 */

/** Markup that is safe to put into a page. Made by the `html` tag alone. */
export class Html {
  readonly text: string;

  private constructor(text: string) {
    this.text = text;
  }

  /** For the `html` tag; its literal parts are our own. */
  static fromTemplate(strings: TemplateStringsArray, values: readonly HtmlValue[]): Html {
    let text = strings[0] as string;
    values.forEach((value, index) => {
      text += render(value) + (strings[index + 1] as string);
    });
    return new Html(text);
  }
}

/** What may stand in a template; undefined is nothing. */
export type HtmlValue = Html | string | number | undefined | readonly Html[];

/** `html\`<b>${anything}</b>\``: markup in which every value is escaped. */
export function html(strings: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  return Html.fromTemplate(strings, values);
}

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function render(value: HtmlValue): string {
  if (value === undefined) return "";
  if (value instanceof Html) return value.text;
  if (typeof value === "object") return value.map((each) => each.text).join("");
  return String(value).replace(/[&<>"']/g, (character) => ESCAPES[character] as string);
}
