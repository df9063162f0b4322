// A conversation through openapi-fetch with the types that openapi-typescript generates as `botpenguin.mts`.
// Prints what was answered as JSON. `conversation.py` says the same through a generated Python client.
import createClient from "openapi-fetch";

import type { components, paths } from "./botpenguin.mts";

type Contact = components["schemas"]["ContactOut"];
type ContactIn = components["schemas"]["ContactIn"];
type Row = components["schemas"]["RowIn"];
type ErrorEnvelope = components["schemas"]["ErrorEnvelope"];

declare const process: { env: Record<string, string | undefined> };

const baseUrl = process.env["BASE_URL"] ?? "";
const client = createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${process.env["TOKEN"]}` } });
const intruder = createClient<paths>({ baseUrl, headers: { Authorization: "Bearer wrong" } });
const apiId = process.env["API_ID"] ?? "";
const said: Record<string, unknown> = {};

function good<Answer>(result: { data?: Answer; error?: ErrorEnvelope }): Answer {
  if (result.data === undefined) throw new Error(JSON.stringify(result.error));
  return result.data;
}

function bad(name: string, result: { error?: ErrorEnvelope }): void {
  const error = result.error;
  if (error === undefined) throw new Error(`${name} is missing`);
  said[name] = [error.success, error.code, error.message, error.data, error.error];
}

function row(name: string, email: string, number = ""): Row {
  const contact = { email, phone: { number, prefix: "91" } };
  return { profile: { userDetails: { userProvidedName: name, contact, tags: ["vip"] } } };
}

function facts(contact: Contact): unknown[] {
  const details = contact.profile.userDetails;
  const { number, prefix } = details.contact.phone;
  const attributes = Object.fromEntries(details.attributes.map(({ key, value }) => [key, value]));
  return [details.name, details.contact.email, number, prefix, details.tags, contact.status, attributes];
}

async function bots(): Promise<string> {
  said["email"] = good(await client.GET("/token")).data.email;
  const made = good(await client.POST("/bots", { body: { name: "Reception", platform: "whatsapp" } })).data;
  const params = { path: { bot_id: made._id } };
  const changed = good(await client.PATCH("/bots/{bot_id}", { params, body: { name: "Front desk" } })).data;
  const read = good(await client.GET("/bots/{bot_id}", { params })).data;
  const listed = good(await client.GET("/bots")).data;
  const onWhatsapp = good(await client.GET("/whatsapp-automation")).data;
  const body = { botId: made._id, slug: "n8n", platform: "whatsapp" as const };
  const works = good(await client.POST("/integrations/custom-app/general-authentication", { body })).message;
  said["bots"] = [changed.name, read.name, listed.map((bot) => bot.name), onWhatsapp.map((bot) => bot.name), works];
  return made._id;
}

async function contacts(botId: string): Promise<Contact> {
  const body = [row("Asha", "asha@example.com", "9876543210"), row("Ben", "ben@example.com")];
  const imported = good(await client.POST("/inbox/users/import", { params: { query: { botId } }, body }));
  const again = good(await client.POST("/inbox/users/import", { body: body.slice(0, 1) }));
  said["import"] = [imported, again].map(({ code, data }) => [code, data.created, data.updated]);
  const listed = good(await client.POST("/inbox/users", { body: { page: 1, tags: ["vip"] } })).data;
  said["list"] = listed.map(facts);
  const params = { path: { contact_id: imported.data.ids[0] ?? "" } };
  return good(await client.GET("/inbox/users/{contact_id}", { params })).data;
}

async function changes(asha: Contact, botId: string): Promise<void> {
  const params = { path: { contact_id: asha._id } };
  // What came out goes in.
  const written: ContactIn = asha;
  const body: ContactIn = { ...written, status: "CLOSED" };
  said["change"] = facts(good(await client.PUT("/inbox/users/{contact_id}", { params, body })).data);
  // @ts-expect-error A wrong status is no status.
  const wrong: ContactIn = { status: "SHUT" };
  bad("status error", await client.PUT("/inbox/users/{contact_id}", { params, body: wrong }));
  const plan = { attributes: [{ key: "plan", value: "gold" }] };
  const set = await client.PUT("/inbox/users/{contact_id}/attributes", { params, body: plan });
  said["attributes"] = facts(good(set).data);
  const age = { search: "asha@example.com", attributes: [{ key: "age", value: 41 }], botId };
  const found = await client.PUT("/integrations/custom-app/update-user-attributes", { body: age });
  said["search"] = facts(good(found).data);
  const status = { ids: [asha._id], status: "OPEN" as const };
  said["status"] = good(await client.PUT("/inbox/users/status-update", { body: status })).data.updated;
  const run = await client.POST("/third-party-apis/{api_id}/run", {
    params: { path: { api_id: apiId } },
    body: { attributes: [{ key: "unused", value: true }], contactId: asha._id },
  });
  const { response, attributes, missing } = good(run).data;
  said["run"] = [response.status, attributes, missing];
}

async function errors(): Promise<void> {
  const nobody = "0".repeat(24);
  const rows = [row("Asha", "asha"), row("Ben", "ben@example.com"), row("Cleo", "cleo")];
  bad("import error", await client.POST("/inbox/users/import", { body: rows }));
  const contact = { params: { path: { contact_id: nobody } }, body: { isContact: true } };
  bad("change error", await client.PUT("/inbox/users/{contact_id}", contact));
  bad("filter error", await client.POST("/inbox/users", { body: { page: 0 } }));
  bad("query error", await client.GET("/bots", { params: { query: { page: 0 } } }));
  bad("bot error", await client.POST("/bots", { body: { name: "", platform: "sms" } }));
  const api = { params: { path: { api_id: nobody } }, body: {} };
  bad("run error", await client.POST("/third-party-apis/{api_id}/run", api));
  bad("token error", await intruder.GET("/token"));
}

async function end(botId: string): Promise<void> {
  said["delete"] = good(await client.DELETE("/bots/{bot_id}", { params: { path: { bot_id: botId } } })).message;
  said["report"] = good(await client.POST("/token/report-exposed", { body: { tokens: ["none"] } })).data.received;
  said["revoke"] = (await client.POST("/token/revoke")).response.status;
  said["revoked"] = (await client.GET("/token")).response.status;
}

const bot = await bots();
await changes(await contacts(bot), bot);
await errors();
await end(bot);
console.log(JSON.stringify(said));
