// Print the requests of the collection that Postman makes of a document, in the order of a run, each with its folder and
// its variables of authentication.
const { readFileSync } = require("node:fs");

const { convert } = require("openapi-to-postmanv2");

const [document, folderStrategy] = process.argv.slice(2);

function secrets(item) {
  return JSON.stringify(item.request.auth ?? null).match(/{{\w+}}/g) ?? [];
}

function requests(items, folder) {
  return items.flatMap((item) => (item.item ? requests(item.item, item.name) : [[folder, item.name, secrets(item)]]));
}

convert({ type: "string", data: readFileSync(document, "utf8") }, { folderStrategy }, (error, made) => {
  if (error || !made.result) throw error ?? new Error(made.reason);
  console.log(JSON.stringify(requests(made.output[0].data.item, "")));
});
