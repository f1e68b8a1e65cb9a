/** Where a part of the page shows something. Looked for once, because a full room has thousands of such places. */

let known = new WeakMap<ParentNode, Map<string, HTMLElement[]>>();

/** To be called when a part of the page was swapped for a newer one. */
export function forget(): void {
  known = new WeakMap();
}

export function places(root: ParentNode, selector: string): readonly HTMLElement[] {
  const found = known.get(root) ?? new Map<string, HTMLElement[]>();
  known.set(root, found);
  const there = found.get(selector) ?? [...root.querySelectorAll<HTMLElement>(selector)];
  found.set(selector, there);
  return there;
}

/** Writes only what changed: numbers are text nodes, never new elements under a finger. */
export function put(root: ParentNode, selector: string, text: string): void {
  for (const place of places(root, selector)) if (place.textContent !== text) place.textContent = text;
}
