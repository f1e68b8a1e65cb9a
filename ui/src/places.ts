/** Where a part of the page shows something. Looked for once, because a full room has thousands of such places. */

let known = new WeakMap<ParentNode, Map<string, HTMLElement[]>>();

/** To be called when a part of the page was swapped for a newer one. */
export const forget = (): void => void (known = new WeakMap());

export function places(root: ParentNode, selector: string): readonly HTMLElement[] {
  const found = known.get(root) ?? new Map<string, HTMLElement[]>();
  known.set(root, found);
  const there = found.get(selector) ?? [...root.querySelectorAll<HTMLElement>(selector)];
  found.set(selector, there);
  return there;
}

/** Writes only what changed, into the text that stands there: a new one would have to be styled, too. */
export function put(root: ParentNode, selector: string, text: string): void {
  for (const place of places(root, selector)) {
    const stands = place.childNodes.length === 1 && place.firstChild instanceof Text ? place.firstChild : place;
    if (stands.textContent !== text) stands.textContent = text;
  }
}
