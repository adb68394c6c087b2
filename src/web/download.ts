/**
 * What public pages gain by a script: sizes and days in the reader's locale, commands to copy with
 * one click, and how the swarm stands, kept up to date while somebody looks.
 */
import { type SwarmSummary, stateText } from "../protocol/api/state-text.ts";
import { dayText, sizeText } from "./format.ts";

const LOOK_EVERY_MS = 10_000;
const COPIED_MS = 2000;

for (const element of document.querySelectorAll<HTMLDataElement>("data.size")) {
  element.textContent = sizeText(Number(element.value));
}
for (const element of document.querySelectorAll("time")) {
  element.textContent = dayText(Date.parse(element.dateTime));
}
if (navigator.clipboard !== undefined) {
  for (const line of document.querySelectorAll<HTMLPreElement>("pre.command")) addCopyButton(line);
}
const live = document.querySelector<HTMLElement>("[data-live]");
if (live !== null) keepLive(live, live.dataset["live"] as string);

function addCopyButton(line: HTMLPreElement): void {
  const frame = document.createElement("div");
  frame.className = "copy";
  line.replaceWith(frame);
  line.className = "";
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Copy";
  button.setAttribute("aria-live", "polite");
  let timer: ReturnType<typeof setTimeout> | undefined;
  button.addEventListener("click", () => {
    void navigator.clipboard.writeText(line.textContent ?? "").then(() => {
      button.textContent = "Copied";
      clearTimeout(timer);
      timer = setTimeout(() => (button.textContent = "Copy"), COPIED_MS);
    });
  });
  frame.append(line, button);
}

/** Asks every now and then while the page is seen; after a failure the next look may work. */
function keepLive(place: HTMLElement, name: string): void {
  const dot = place.querySelector(".dot");
  const text = place.querySelector("[data-live-text]");
  const look = async (): Promise<void> => {
    if (document.hidden) return;
    const response = await fetch(`/api/v1/publications/${name}/swarm`).catch(() => undefined);
    if (response?.ok !== true) return;
    const summary = (await response.json()) as Partial<SwarmSummary>;
    const sentence = stateText(isKnown(summary) ? summary : undefined);
    if (text !== null && text.textContent !== sentence) text.textContent = sentence;
    if (dot !== null) dot.className = `dot ${summary.participation?.state ?? "S0"}`;
  };
  setInterval(() => void look(), LOOK_EVERY_MS);
  document.addEventListener("visibilitychange", () => void look());
}

/** Whether the server could ask its Tracker. */
function isKnown(summary: Partial<SwarmSummary>): summary is SwarmSummary {
  return summary.complete !== undefined && summary.incomplete !== undefined;
}
