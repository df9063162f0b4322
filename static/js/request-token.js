// Asking the server for the token, by the form of an act that answers with it.

// What the server told in words, and its word that one must go elsewhere first.
export class Refused extends Error {}
export class Redirected extends Error {}

export async function requestToken(form) {
  const answer = await fetch(form.action, {
    method: "POST",
    body: new FormData(form),
    headers: { Accept: "application/json" },
  });
  const elsewhere = answer.headers.get("HX-Redirect");
  if (elsewhere) {
    location.assign(elsewhere);
    throw new Redirected();
  }
  const isJson = answer.headers.get("Content-Type")?.startsWith("application/json");
  const body = isJson ? await answer.json() : {};
  if (!answer.ok) throw new Refused(body.message ?? "failed");
  return body.token;
}
