// The line in which a page says what has come of an act. It has the role "status", so
// that screen readers read it out.

export const said = document.getElementById("status")!;

export function say(text: string, kind: "bad" | "good" | "" = ""): void {
  said.textContent = text;
  said.className = `status ${kind}`;
}
