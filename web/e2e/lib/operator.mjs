// How an operator comes in: by the link of his invitation, with a passkey that stays
// on its device.

// enter makes the passkey of an invitation, which signs in.
export async function enter(b, link) {
  await b.authenticator();
  await b.page.goto(link);
  await b.page.click("#go");
  await b.page.waitForSelector("nav[aria-label=Console]");
}
