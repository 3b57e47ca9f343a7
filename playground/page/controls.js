import { byId } from "./dom.js";
import { t } from "./words.js";

/** Call the playground; return its state, or undefined if it doesn't run the bot. */
async function call(path, method) {
  const response = await fetch(`/playground/${path}`, { method }).catch(() => undefined);
  return response?.ok ? response.json() : undefined;
}

function draw(state) {
  byId("controls").hidden = !state;
  byId("kill").disabled = !state?.running;
  byId("start").disabled = Boolean(state?.running);
  byId("skip-day").disabled = byId("reset").disabled = false;
  byId("runcomfy").value = state?.behavior ?? "normal";
  byId("days").hidden = !state?.days;
  byId("days").textContent = t("Days ahead: {days}", { days: state?.days ?? 0 });
}

/** Show the controls if the playground runs the bot; otherwise hide them. */
export const drawControls = async () => draw(await call("state"));

export function wireControls() {
  for (const action of ["kill", "start", "skip-day", "reset"]) {
    byId(action).addEventListener("click", async ({ target }) => {
      if (action === "reset" && !confirm(t("Delete all messages and settings and start over?"))) return;
      target.disabled = true;
      draw(await call(action, "POST"));
    });
  }
  byId("runcomfy").addEventListener("change", async ({ target }) => draw(await call(`runcomfy/${target.value}`, "POST")));
}
