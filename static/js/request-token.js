// Requests the token by a form whose response is the token.

// The server refused and said why; or it sent the browser to another page first.
export class Refused extends Error {}
export class Redirected extends Error {}

export async function requestToken(form) {
  const response = await fetch(form.action, {
    method: "POST",
    body: new FormData(form),
    headers: { Accept: "application/json" },
  });
  const elsewhere = response.headers.get("HX-Redirect");
  if (elsewhere) {
    location.assign(elsewhere);
    throw new Redirected();
  }
  const isJson = response.headers.get("Content-Type")?.startsWith("application/json");
  const body = isJson ? await response.json() : {};
  if (!response.ok) throw new Refused(body.message ?? "failed");
  return body.token;
}
