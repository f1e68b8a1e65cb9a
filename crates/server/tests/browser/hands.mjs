// What the hands of a person do on a page.
import { PASSWORD } from './clinic.mjs';

export async function signIn(chrome, clinic, user, options = {}) {
  const context = await chrome.newContext({ viewport: { width: 1280, height: 880 }, ...options });
  const page = await context.newPage();
  await page.goto(clinic.at);
  await page.getByLabel('User name').fill(user);
  await page.getByLabel('Password').fill(clinic.password ?? PASSWORD);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.waitForURL((url) => url.pathname !== '/sign-in');
  return page;
}

/** Fills a form as a person does, field by field, and sends it with its own button. */
export async function fill(page, key, fields, button) {
  const form = page.locator(`form#${key}`);
  for (const [name, values] of Object.entries(fields)) {
    for (const value of [values].flat()) {
      const choice = form.locator(`input[type=radio][name="${name}"][value="${value}"], input[type=checkbox][name="${name}"][value="${value}"]`);
      const field = form.locator(`[name="${name}"]`);
      if (await choice.count()) await choice.check();
      else if ((await field.first().evaluate((node) => node.tagName)) === 'SELECT') await field.selectOption(value);
      else await field.fill(value);
    }
  }
  await send(page, button ? form.getByRole('button', { name: button }) : form.locator('button[type=submit]').last(), key);
}

/** Presses a button that sends a form, and waits for the page that answers; throws what a refusal says. */
export async function send(page, button, what = 'a form') {
  await Promise.all([page.waitForResponse((answer) => answer.request().method() === 'POST' && answer.request().isNavigationRequest()), button.click()]);
  await page.waitForLoadState();
  const wrong = page.locator('.error-summary');
  if (await wrong.count()) throw new Error(`${what}: ${await wrong.innerText()}`);
}

/** Holds a button for as long as it asks. */
export async function hold(page, name) {
  await page.getByRole('button', { name }).hover();
  await page.mouse.down();
  await page.waitForResponse((answer) => answer.request().method() === 'POST' && /\/(pause|stop)$/.test(answer.url()));
  await page.mouse.up();
}

export const text = (page, selector) => page.locator(selector).first().innerText();
export const value = (page, key) => text(page, `[data-tile=${key}] [data-value]`);
