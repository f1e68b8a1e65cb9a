/** A signature drawn by finger, pen or mouse: each stroke a hidden field of the form. Without a script, names are typed. */

/** A field holds no longer text; the stroke goes on in the next. */
const CHARS_MOST = 1_900;

export function start(): void {
  const place = document.querySelector<HTMLElement>('[data-draws]');
  const [field, form] = [place?.querySelector('svg'), place?.querySelector('form')];
  if (!place || !field || !form) return;
  place.hidden = false;
  const strokes = (): HTMLInputElement[] => [...form.querySelectorAll<HTMLInputElement>('input[name=stroke]')];
  const show = (): void => field.querySelector('path')!.setAttribute('d', strokes().map((one) => `M${one.value}`).join(''));
  const draw = (event: PointerEvent, begins: boolean): void => {
    const { x, y } = new DOMPoint(event.clientX, event.clientY).matrixTransform(field.getScreenCTM()!.inverse());
    const { width, height } = field.viewBox.baseVal;
    if (x < 0 || y < 0 || x > width || y > height) return;
    const [at, last] = [`${Math.round(x)},${Math.round(y)}`, strokes().at(-1)];
    const from = begins || !last ? at : last.value.slice(last.value.lastIndexOf(' ') + 1);
    if (begins || !last || last.value.length > CHARS_MOST) {
      form.append(Object.assign(document.createElement('input'), { type: 'hidden', name: 'stroke', value: `${from} ${at}` }));
    } else if (from !== at) last.value += ` ${at}`;
    show();
  };
  field.addEventListener('pointerdown', (event) => {
    field.setPointerCapture(event.pointerId);
    draw(event, true);
  });
  field.addEventListener('pointermove', (event) => field.hasPointerCapture(event.pointerId) && draw(event, false));
  place.querySelector('button')!.addEventListener('click', () => {
    for (const stroke of strokes()) stroke.remove();
    show();
  });
}
