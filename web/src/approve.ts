// The page of one approval: its text, yes or no. What is signed is what stands
// on the page, or nothing is.

import { begin, done, failed, listen, over, sign } from "./act";
import { pageData, post } from "./api";
import { type Approval, check } from "./approval";
import { supported } from "./passkey";
import { say } from "./said";

const data = pageData<{ approval?: Approval }>().approval;
const choices = document.getElementById("choices");
const shown = () => document.getElementById("text")!.textContent!;

async function either(act: () => Promise<void>): Promise<void> {
  const buttons = choices!.querySelectorAll("button");
  for (const b of buttons) b.disabled = true;
  try {
    await act();
  } catch (e) {
    failed(e);
    for (const b of buttons) b.disabled = false;
  }
}

begin();
listen();
if (data && choices && supported()) {
  check(data, shown()).then(() => (choices.hidden = false), failed);
  document.getElementById("yes")!.onclick = () =>
    either(async () => {
      say("Your device will now ask for you.");
      await over(await sign(data, shown()), "/account");
    });
  document.getElementById("no")!.onclick = () =>
    either(async () => {
      await post("/account/deny", { approval: data.approval });
      done("You said no. Your other devices were told.", "/account");
    });
}
