// Elements, made without markup: no text of anybody's becomes a tag.

/** What an element may get: properties, attributes (aria-…, data-…, others by name), listeners (onclick). */
export interface Attributes {
  readonly [name: string]: string | number | boolean | undefined | ((event: Event) => void);
}

/** What can stand in an element. */
export type Child = Node | string | undefined | false;

/** h makes an element: h("button.primary", {type: "button", onclick}, "Go on"). */
export function h<K extends keyof HTMLElementTagNameMap>(tag: K | `${K}.${string}`, attributes: Attributes = {}, ...children: readonly Child[]): HTMLElementTagNameMap[K] {
  const [name, ...classes] = tag.split(".") as [K, ...string[]];
  const element = document.createElement(name);
  if (classes.length > 0) {
    element.className = classes.join(" ");
  }
  set(element, attributes);
  element.append(...children.filter((c): c is Node | string => c !== undefined && c !== false));
  return element;
}

function set(element: Element, attributes: Attributes): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") {
      element.addEventListener(name.slice(2), value);
    } else if (value === true) {
      element.setAttribute(name, "");
    } else if (value !== undefined && value !== false) {
      element.setAttribute(name, String(value));
    }
  }
}

/** icon draws one of the outlines below, 24 by 24; the words beside it say what it means. */
export function icon(name: keyof typeof outlines, size = 20): SVGSVGElement {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  set(svg, { width: size, height: size, viewBox: "0 0 24 24", fill: "none", stroke: "currentColor", "stroke-width": 1.75, "stroke-linecap": "round", "stroke-linejoin": "round", "aria-hidden": "true" });
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", outlines[name]);
  svg.append(path);
  return svg;
}

const outlines = {
  back: "m15 5-7 7 7 7",
  check: "m5 12.5 4.5 4.5L19 7.5",
  cross: "M6 6l12 12M18 6 6 18",
  chat: "M4 5.5h16v10.5H11l-4.5 3.5V16H4z",
  shield: "M12 3l7.5 2.75v5.5c0 4.5-3 7.75-7.5 9.75-4.5-2-7.5-5.25-7.5-9.75v-5.5z",
  lock: "M6.5 10.5h11v9h-11zM8.75 10.5V7.75a3.25 3.25 0 0 1 6.5 0v2.75",
  alert: "M12 4 21 19.5H3zM12 10v4M12 16.750v.010",
  paper: "M6.500 3.500h8l4 4v13h-12zM14.500 3.500v4h4M9.500 12h6M9.500 15.500h4",
  key: "M11 12.25 20 3.25M16.25 7l2.75 2.75M13.25 10l1.75 1.75M12.25 15.5a4.5 4.5 0 1 1-9 0 4.5 4.5 0 0 1 9 0z",
  move: "M4 9h13l-3.5-3.5M20 15H7l3.5 3.5",
  snow: "M12 3v18M4.2 7.5l15.6 9M19.8 7.5l-15.6 9M9.5 4.5 12 7l2.5-2.5M9.5 19.5 12 17l2.5 2.5",
  bell: "M6 16.5V11a6 6 0 1 1 12 0v5.5l1.5 1.75h-15zM10 21h4",
  scan: "M4 8.5V5.5A1.5 1.5 0 0 1 5.5 4h3M15.5 4h3A1.5 1.5 0 0 1 20 5.5v3M20 15.5v3a1.5 1.5 0 0 1-1.5 1.5h-3M8.5 20h-3A1.5 1.5 0 0 1 4 18.5v-3M4 12h16",
  phone: "M8.500 2.750h7a2 2 0 0 1 2 2v14.500a2 2 0 0 1-2 2h-7a2 2 0 0 1-2-2V4.750a2 2 0 0 1 2-2zM10.750 18h2.500",
} as const;

/** swap replaces what stands in element. The focus goes to the new child with autofocus, if it was in here before. */
export function swap(element: Element, ...children: readonly Child[]): void {
  const within = element.contains(document.activeElement);
  element.replaceChildren(...children.filter((c): c is Node | string => c !== undefined && c !== false));
  if (within) {
    (element.querySelector<HTMLElement>("[data-focus]") ?? element.querySelector<HTMLElement>("h2, h3"))?.focus();
  }
}

/** part is the element of the page with an ID. */
export function part(id: string): HTMLElement {
  const element = document.getElementById(id);
  if (element === null) {
    throw new Error(`demo: the page has no #${id}`);
  }
  return element;
}
